namespace NicHost.Linux;

/// <summary>Rights of a mapping (PROT_).</summary>
[Flags]
public enum Protection
{
    /// <summary>No access.</summary>
    None = 0,
    /// <summary>Loads.</summary>
    Read = 1,
    /// <summary>Stores.</summary>
    Write = 2,
    /// <summary>Execution.</summary>
    Execute = 4,
    /// <summary>Loads and stores.</summary>
    ReadWrite = Read | Write,
}

/// <summary>Seals of a memfd (F_SEAL_).</summary>
[Flags]
public enum FileSeals
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>No more seals.</summary>
    Seal = 1,
    /// <summary>The file cannot shrink: mappings of it cannot lose their memory.</summary>
    Shrink = 2,
    /// <summary>The file cannot grow.</summary>
    Grow = 4,
    /// <summary>The content cannot change.</summary>
    Write = 8,
}

/// <summary>Mapping memory, and files that are memory. For whole files of guest memory see <see cref="MappedFile"/>.</summary>
public static unsafe class VirtualMemory
{
    private const int MapShared = 0x1;
    private const int MapPrivate = 0x2;
    private const int MapAnonymous = 0x20;
    private const int MfdCloExec = 1;
    private const int MfdAllowSealing = 2;
    private const int MfdHugeTlb = 4;
    private const int FAddSeals = 1033;
    private const int FGetSeals = 1034;
    private const int MadvDontDump = 16;
    private const long HugeTlbFsMagic = 0x958458F6;

    /// <summary>The system's page size in bytes.</summary>
    public static int PageSize => Environment.SystemPageSize;

    /// <summary>Maps fresh zeroed memory.</summary>
    /// <param name="length">Bytes, rounded up to whole pages by the kernel.</param>
    /// <param name="protection">Rights.</param>
    /// <returns>The address.</returns>
    public static SysResult MapAnonymousMemory(nuint length, Protection protection) =>
        SysResult.From(Libc.mmap(0, length, (int)protection, MapPrivate | MapAnonymous, -1, 0));

    /// <summary>Maps part of a file, shared.</summary>
    /// <param name="fd">An open file; it may be closed afterwards.</param>
    /// <param name="offset">Where in the file; a multiple of the page size.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection">Rights.</param>
    /// <returns>The address.</returns>
    public static SysResult MapSharedFile(int fd, long offset, nuint length, Protection protection) =>
        SysResult.From(Libc.mmap(0, length, (int)protection, MapShared, fd, offset));

    /// <summary>munmap(2).</summary>
    /// <param name="address">What a map call returned.</param>
    /// <param name="length">Its length.</param>
    public static SysResult Unmap(nint address, nuint length) => SysResult.From(Libc.munmap(address, length));

    /// <summary>mprotect(2).</summary>
    /// <param name="address">Page aligned.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="protection">Rights from now on.</param>
    public static SysResult Protect(nint address, nuint length, Protection protection) =>
        SysResult.From(Libc.mprotect(address, length, (int)protection));

    /// <summary>Keeps memory out of core dumps (MADV_DONTDUMP): a guest's secrets are not ours to write to a disk.</summary>
    /// <param name="address">Page aligned.</param>
    /// <param name="length">Bytes.</param>
    public static SysResult ExcludeFromDumps(nint address, nuint length) => SysResult.From(Libc.madvise(address, length, MadvDontDump));

    /// <summary>memfd_create(2): a file that is only memory. Closed on exec; it can be sealed.</summary>
    /// <param name="name">Shown in /proc, nothing more.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="hugePages">Whether to use the default huge page size; needs huge pages in the pool when touched.</param>
    /// <exception cref="LinuxException">No descriptors or no memory left.</exception>
    public static Fd CreateMemoryFile(string name, long size, bool hugePages = false)
    {
        int raw;

        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(name))
        {
            uint flags = MfdCloExec | MfdAllowSealing | (hugePages ? MfdHugeTlb : 0u);
            raw = (int)SysResult.From(Libc.memfd_create(p, flags)).OrThrow("create a memory file");
        }

        Fd fd = new(raw);
        SysResult sized = Resize(raw, size);
        if (sized.Ok) return fd;
        fd.Dispose();
        throw new LinuxException(sized.Error, $"give a memory file {size} bytes");
    }

    /// <summary>ftruncate(2).</summary>
    /// <param name="fd">A file.</param>
    /// <param name="size">Bytes from now on.</param>
    public static SysResult Resize(int fd, long size)
    {
        while (true)
        {
            if (SysResult.Finished(Libc.ftruncate(fd, size), out SysResult result)) return result;
        }
    }

    /// <summary>Adds seals to a memfd.</summary>
    /// <param name="fd">A memfd.</param>
    /// <param name="seals">What to forbid from now on.</param>
    public static SysResult AddSeals(int fd, FileSeals seals) => SysResult.From(Libc.fcntl(fd, FAddSeals, (nint)seals));

    /// <summary>The seals of a memfd; EINVAL for files that cannot have any.</summary>
    /// <param name="fd">A file.</param>
    /// <param name="seals">What is forbidden.</param>
    public static SysResult GetSeals(int fd, out FileSeals seals)
    {
        SysResult result = SysResult.From(Libc.fcntl(fd, FGetSeals, 0));
        seals = result.Ok ? (FileSeals)result.Count : FileSeals.None;
        return result;
    }

    /// <summary>A file's size.</summary>
    /// <param name="fd">An open file.</param>
    /// <param name="isRegular">Whether it is a regular file (memfds are): only then the size means something.</param>
    /// <returns>Bytes.</returns>
    public static SysResult FileSize(int fd, out bool isRegular)
    {
        StatX stat = default;
        byte empty = 0;
        SysResult result = SysResult.From(Libc.statx(fd, &empty, StatX.AtEmptyPath, StatX.MaskTypeModeSize, &stat));
        isRegular = result.Ok && (stat.Mode & StatX.FormatMask) == StatX.FormatRegular;
        return result.Ok ? new SysResult((nint)Math.Min(stat.Size, long.MaxValue)) : result;
    }

    /// <summary>The size of the pages that a mapping of this file has: the huge page size on hugetlbfs, else the system's.</summary>
    /// <param name="fd">An open file.</param>
    public static nuint PageSizeOf(int fd)
    {
        StatFs stat = default;
        bool huge = Libc.fstatfs(fd, &stat) == 0 && stat.Type == HugeTlbFsMagic && stat.BlockSize > 0;
        return huge ? (nuint)stat.BlockSize : (nuint)PageSize;
    }
}
