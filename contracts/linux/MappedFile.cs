using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// A part of a file mapped into memory, such as a region of guest memory that a front-end has sent. Guarded: when the file's owner
/// shrinks it, accesses see zeros and <see cref="Poisoned"/> becomes true, instead of SIGBUS ending the process (see <see cref="SigbusGuard"/>).
/// Disposing unmaps; nobody may hold a pointer into it then.
/// </summary>
public sealed class MappedFile : SafeHandle
{
    private readonly nuint _mappedLength;
    private readonly GuardedRange _guard;

    private MappedFile(nint mapping, nuint mappedLength, nuint delta, nuint length, nuint pageSize)
        : base(0, ownsHandle: true)
    {
        SetHandle(mapping);
        _mappedLength = mappedLength;
        Address = mapping + (nint)delta;
        Length = length;
        VirtualMemory.ExcludeFromDumps(mapping, mappedLength);
        _guard = SigbusGuard.Register(mapping, mappedLength, pageSize);
    }

    /// <summary>Where the wanted offset is in memory.</summary>
    public nint Address { get; }

    /// <summary>Bytes from <see cref="Address"/>.</summary>
    public nuint Length { get; }

    /// <summary>Whether memory has been taken away under the mapping and an access has found out. Cheap enough to ask once per batch.</summary>
    public bool Poisoned => _guard.Poisoned;

    /// <summary>Whether a shrinking file is survived. False on machines that have no guard.</summary>
    public bool Guarded => _guard.Supported;

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Maps part of a file. Offset and length may be what an untrusted peer says.</summary>
    /// <param name="fd">An open file; stays the caller's and may be closed afterwards.</param>
    /// <param name="offset">Where in the file; need not be page aligned.</param>
    /// <param name="length">Bytes; not zero.</param>
    /// <param name="protection">Rights.</param>
    /// <param name="mapping">The mapping, or null.</param>
    /// <returns>
    /// Success, or: EINVAL for an empty or wrapping range, ENXIO for one that reaches beyond the file's end, or what mmap says.
    /// </returns>
    public static Errno TryMap(int fd, ulong offset, ulong length, Protection protection, out MappedFile? mapping)
    {
        mapping = null;
        if (length == 0 || offset > long.MaxValue || length > long.MaxValue - offset) return Errno.EINVAL;
        SysResult size = VirtualMemory.FileSize(fd, out bool isRegular);
        if (size.Failed) return size.Error;
        if (isRegular && offset + length > (ulong)size.Value) return Errno.ENXIO;

        ulong page = VirtualMemory.PageSizeOf(fd);
        ulong delta = offset % page;
        if (length > long.MaxValue - delta - page) return Errno.EINVAL;
        ulong mapped = (delta + length + page - 1) / page * page;
        SysResult address = VirtualMemory.MapSharedFile(fd, (long)(offset - delta), (nuint)mapped, protection);
        if (address.Failed) return address.Error;
        mapping = new MappedFile(address.Value, (nuint)mapped, (nuint)delta, (nuint)length, (nuint)page);
        return Errno.None;
    }

    /// <summary>Maps part of a file.</summary>
    /// <param name="fd">An open file; stays the caller's and may be closed afterwards.</param>
    /// <param name="offset">Where in the file; need not be page aligned.</param>
    /// <param name="length">Bytes; not zero.</param>
    /// <param name="protection">Rights.</param>
    /// <exception cref="LinuxException">As <see cref="TryMap"/> returns.</exception>
    public static MappedFile Map(int fd, ulong offset, ulong length, Protection protection = Protection.ReadWrite)
    {
        Errno error = TryMap(fd, offset, length, protection, out MappedFile? mapping);
        return mapping ?? throw new LinuxException(error, $"map {length} bytes at offset {offset} of fd {fd}");
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        _guard.Dispose();
        return VirtualMemory.Unmap(handle, _mappedLength).Ok;
    }
}
