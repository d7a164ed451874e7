using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.NetVsp.Memory;

/// <summary>The regions that a client has shown. Each is mapped from its own offset, once.</summary>
/// <param name="allowUnsealed">Whether files are taken that their owner can shrink.</param>
internal sealed class MemoryTable(bool allowUnsealed)
{
    /// <summary>Regions at most.</summary>
    public const int MaxRegions = 64;

    private readonly List<(ulong Address, ulong Length, MappedFile File)> _regions = [];

    /// <summary>The memory as channels see it.</summary>
    public GuestRam Ram { get; private set; } = GuestRam.Empty;

    /// <summary>Guest address and length of each region.</summary>
    public IEnumerable<(ulong Address, ulong Length)> Regions => _regions.Select(r => (r.Address, r.Length));

    /// <summary>Adds a region.</summary>
    /// <returns>None, or why it cannot be added: the table is then as before.</returns>
    public Errno Add(ulong address, ulong length, ulong offset, Fd fd, out string? why)
    {
        why = null;
        if (_regions.Count == MaxRegions) return Refuse(Errno.ENOSPC, $"more than {MaxRegions} regions", out why);
        if ((address | length | offset) % GpaPages.PageSize != 0) return Refuse(Errno.EINVAL, "address, length and offset must be multiples of 4096", out why);
        if (!allowUnsealed && !IsSealed(fd))
            return Refuse(Errno.EPERM, "the file can shrink under us: seal it (F_SEAL_SHRINK), or set \"allowUnsealedMemory\"", out why);
        var error = MappedFile.TryMap(fd.Raw, offset, length, Protection.ReadWrite, out var file);
        if (file is null)
            return Refuse(error, error == Errno.ENXIO ? "it reaches beyond the end of its file" : LinuxException.Describe(error), out why);
        if (!file.Guarded && !IsSealed(fd))
        {
            file.Dispose();
            return Refuse(Errno.EPERM, "this machine cannot survive a file that shrinks", out why);
        }
        _regions.Add((address, length, file));
        if (Build() is not { } fault) return Errno.None;
        _regions.RemoveAt(_regions.Count - 1);
        file.Dispose();
        return Refuse(Errno.EEXIST, fault, out why);
    }

    /// <summary>Takes a region out of <see cref="Ram"/>. The caller disposes the mapping once no channel uses the old memory.</summary>
    /// <returns>Null when there is no such region.</returns>
    public MappedFile? Remove(ulong address, ulong length)
    {
        var at = _regions.FindIndex(r => r.Address == address && r.Length == length);
        if (at < 0) return null;
        var file = _regions[at].File;
        _regions.RemoveAt(at);
        Build();
        return file;
    }

    /// <summary>Forgets and unmaps everything: no channel may use any of it.</summary>
    public void Clear()
    {
        Ram = GuestRam.Empty;
        foreach (var region in _regions) region.File.Dispose();
        _regions.Clear();
    }

    private static bool IsSealed(Fd fd) => VirtualMemory.GetSeals(fd.Raw, out var seals).Ok && seals.HasFlag(FileSeals.Shrink);

    private static Errno Refuse(Errno errno, string reason, out string? why)
    {
        why = reason;
        return errno;
    }

    private string? Build()
    {
        try
        {
            var map = new GuestMemory([.. _regions.Select(r => new GuestRegion(r.Address, r.Length, r.File.Address))]);
            Ram = new GuestRam(map, [.. _regions.Select(r => r.File)]);
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
