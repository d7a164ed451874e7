namespace NicHost.Linux;

/// <summary>Who may do what with a file: the twelve bits of its mode, and whose it is.</summary>
/// <param name="Mode">The mode without the kind of the file.</param>
/// <param name="Owner">User id.</param>
/// <param name="Group">Group id.</param>
public readonly unsafe record struct FileRights(uint Mode, uint Owner, uint Group)
{
    private const uint ModeMask = 0xFFF;

    /// <summary>The rights of a file; of a link itself, not of what it leads to.</summary>
    /// <param name="path">Where.</param>
    /// <exception cref="LinuxException">There is no such file, or we may not look.</exception>
    public static FileRights Of(string path)
    {
        StatX stat = default;

        // SAFETY: the array is terminated and pinned; the structure has the kernel's size.
        fixed (byte* p = ThisProcess.ZeroTerminated(path))
        {
            SysResult.From(Libc.statx(StatX.AtFdCwd, p, StatX.AtSymlinkNoFollow, StatX.MaskBasic, &stat))
                .OrThrow($"look at {path}");
        }

        return new FileRights(stat.Mode & ModeMask, stat.User, stat.Group);
    }

    /// <summary>
    /// Gives a file these rights, or leaves it as it was. At no moment does it have more rights than either before or after: nobody slips in
    /// between one change and the next.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <exception cref="LinuxException">The kernel refuses one of them.</exception>
    public void Apply(string path)
    {
        FileRights before = Of(path);
        try
        {
            if (before.Owner != Owner || before.Group != Group)
            {
                SetMode(path, before.Mode & Mode).OrThrow($"set the mode of {path}");

                // In one call, which does both or nothing.
                SetOwner(path, Owner, Group).OrThrow($"give {path} to user {Owner} and group {Group}");
            }

            SetMode(path, Mode).OrThrow($"set the mode of {path}");
        }
        catch
        {
            SetOwner(path, before.Owner, before.Group);
            SetMode(path, before.Mode);
            throw;
        }
    }

    private static SysResult SetMode(string path, uint mode)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(path)) return SysResult.From(Libc.chmod(p, mode));
    }

    private static SysResult SetOwner(string path, uint owner, uint group)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ThisProcess.ZeroTerminated(path)) return SysResult.From(Libc.lchown(p, owner, group));
    }
}
