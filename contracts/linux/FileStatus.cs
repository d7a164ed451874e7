namespace NicHost.Linux;

/// <summary>What statx(2) tells of a file: who it belongs to, who may write it, which one it is.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="User">Owner.</param>
/// <param name="Group">Group.</param>
/// <param name="Device">The file system's device number.</param>
/// <param name="Inode">The file's number there: a file that takes another's place has another.</param>
/// <param name="Born">When the inode was made, in nanoseconds since 1970; null where the file system does not keep it.</param>
public readonly record struct FileStatus(ushort Mode, uint User, uint Group, ulong Device, ulong Inode, long? Born)
{
    private const int GroupWrite = 0x10;
    private const int OtherWrite = 0x2;
    private const int Sticky = 0x200;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder => (Mode & StatX.FormatMask) == StatX.FormatFolder;

    /// <summary>Whether its group may write it.</summary>
    public bool IsGroupWritable => (Mode & GroupWrite) != 0;

    /// <summary>Whether everybody may write it.</summary>
    public bool IsOtherWritable => (Mode & OtherWrite) != 0;

    /// <summary>Of a folder such as /tmp: only owners may rename or remove what is in it.</summary>
    public bool IsSticky => (Mode & Sticky) != 0;

    /// <summary>Asks about a path; symbolic links are followed.</summary>
    /// <param name="path">Of a file or a folder.</param>
    /// <param name="status">The answer.</param>
    /// <returns>An error, such as ENOENT, or success.</returns>
    public static unsafe SysResult Read(string path, out FileStatus status)
    {
        StatX stat = default;

        // SAFETY: the array is terminated and pinned; the structure has the kernel's size.
        fixed (byte* p = ThisProcess.ZeroTerminated(path))
        {
            SysResult result = SysResult.From(Libc.statx(StatX.AtFdCwd, p, 0, StatX.MaskBasic | StatX.MaskBorn, &stat));
            long? born = (stat.Mask & StatX.MaskBorn) != 0 ? (stat.BornSeconds * NanosecondsPerSecond) + stat.BornNanoseconds : null;
            status = new FileStatus(stat.Mode, stat.User, stat.Group, ((ulong)stat.DeviceMajor << 32) | stat.DeviceMinor, stat.Inode, born);
            return result;
        }
    }
}
