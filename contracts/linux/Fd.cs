using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>Owns one file descriptor and closes it once. Data paths use <see cref="Raw"/> while the owner lives.</summary>
public sealed class Fd : SafeHandle
{
    /// <summary>Takes ownership of a descriptor.</summary>
    /// <param name="raw">An open descriptor; closed by this object from now on. Negative means none.</param>
    public Fd(int raw)
        : base(-1, ownsHandle: true) => SetHandle(raw);

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <summary>The descriptor's number. Valid until this object is disposed: the caller keeps it alive and does not close it.</summary>
    public int Raw => (int)handle;

    /// <summary>Gives ownership away: this object no longer closes the descriptor.</summary>
    /// <returns>The descriptor, now the caller's to close.</returns>
    public int Release()
    {
        int raw = (int)handle;
        SetHandleAsInvalid();
        return raw;
    }

    /// <summary>Another descriptor for the same open file, closed on exec.</summary>
    /// <exception cref="LinuxException">No descriptors left, or this one is closed.</exception>
    public Fd Dup() => Dup(Raw);

    /// <summary>Another descriptor for the same open file as <paramref name="raw"/>, closed on exec.</summary>
    /// <param name="raw">An open descriptor; stays the caller's.</param>
    /// <exception cref="LinuxException">No descriptors left, or <paramref name="raw"/> is not open.</exception>
    public static Fd Dup(int raw) => new((int)Io.Duplicate(raw).OrThrow("duplicate a descriptor"));

    /// <inheritdoc/>
    // close(2): on Linux the descriptor is gone even when EINTR is returned, so there is no retry.
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;

    /// <inheritdoc/>
    public override string ToString() => IsInvalid ? "fd none" : $"fd {Raw}";
}
