using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// What a system call returned: a value of zero or more, or an error number. One machine word, so that the
/// data path can look at errors without exceptions and without a second call.
/// </summary>
public readonly struct SysResult : IEquatable<SysResult>
{
    private readonly nint _raw;

    /// <summary>Wraps a value in the kernel's own convention.</summary>
    /// <param name="raw">Zero or more for success, <c>-errno</c> for failure.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public SysResult(nint raw) => _raw = raw;

    /// <summary>A failure with this error.</summary>
    /// <param name="errno">The error; must not be <see cref="Errno.None"/>.</param>
    public static SysResult Failure(Errno errno) => new(-(nint)(int)errno);

    /// <summary>Whether the call succeeded.</summary>
    public bool Ok => _raw >= 0;

    /// <summary>Whether the call failed.</summary>
    public bool Failed => _raw < 0;

    /// <summary>Whether the call failed with EAGAIN: nothing to read, no room to write, try when ready.</summary>
    public bool WouldBlock => _raw == -(nint)(int)Errno.EAGAIN;

    /// <summary>The error, or <see cref="Errno.None"/> on success.</summary>
    public Errno Error => _raw < 0 ? (Errno)(int)-_raw : Errno.None;

    /// <summary>The value; negative (<c>-errno</c>) when the call failed.</summary>
    public nint Value => _raw;

    /// <summary>The value as int (a byte count, a message count); negative when the call failed.</summary>
    public int Count => (int)_raw;

    /// <summary>The value as a file descriptor; negative when the call failed.</summary>
    public int Fd => (int)_raw;

    /// <summary>For set-up code: the value, or an exception.</summary>
    /// <param name="what">What was tried; see <see cref="LinuxException"/>.</param>
    /// <exception cref="LinuxException">The call failed.</exception>
    public nint OrThrow(string what) => _raw >= 0 ? _raw : throw new LinuxException(Error, what);

    /// <inheritdoc/>
    public bool Equals(SysResult other) => _raw == other._raw;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SysResult other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _raw.GetHashCode();

    /// <summary>Same value or same error.</summary>
    public static bool operator ==(SysResult left, SysResult right) => left.Equals(right);

    /// <summary>Different value or error.</summary>
    public static bool operator !=(SysResult left, SysResult right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Ok ? _raw.ToString(null, null) : LinuxException.Describe(Error);

    /// <summary>Turns libc's -1 and errno into a result. Must follow the call directly.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static SysResult From(nint returned) => returned != -1 ? new(returned) : Last();

    /// <summary>The same, false when the call has to be made again (EINTR).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Finished(nint returned, out SysResult result)
    {
        result = From(returned);
        return result._raw != -(nint)(int)Errno.EINTR;
    }

    private static SysResult Last() => new(-Marshal.GetLastPInvokeError());
}
