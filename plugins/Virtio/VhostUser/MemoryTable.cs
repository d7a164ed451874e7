using System.Buffers.Binary;
using NicHost.Contracts.Memory;
using NicHost.Linux;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.VhostUser;

/// <summary>A region as messages describe it.</summary>
internal readonly record struct MemoryRegionInfo(ulong GuestAddress, ulong Size, ulong UserAddress, ulong FileOffset)
{
    public static MemoryRegionInfo Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]));
}

/// <summary>
/// The front-end's memory: each region mapped from its own offset, so that two regions of one file, or a region that starts far into a file,
/// cost only themselves. A change makes a new <see cref="GuestRam"/>; the caller disposes what dropped out once no queue uses it.
/// </summary>
internal sealed class MemoryTable
{
    /// <summary>Regions at most, with ADD_MEM_REG; what GET_MAX_MEM_SLOTS answers.</summary>
    public const int MaxSlots = 64;

    private readonly List<(MemoryRegionInfo Info, MappedFile File)> _slots = [];

    /// <summary>The table as the queues see it.</summary>
    public GuestRam Ram { get; private set; } = GuestRam.Empty;

    public IEnumerable<MemoryRegionInfo> Regions => _slots.Select(s => s.Info);

    /// <summary>Replaces the table.</summary>
    /// <param name="infos">The regions.</param>
    /// <param name="fds">One descriptor per region; stay the caller's.</param>
    /// <param name="dropped">Mappings to dispose when no queue uses them.</param>
    /// <returns>Why it cannot be, the table being as before, or null.</returns>
    public string? Replace(IReadOnlyList<MemoryRegionInfo> infos, IReadOnlyList<Fd> fds, List<IDisposable> dropped)
    {
        var before = _slots.ToArray();
        _slots.Clear();
        var fault = default(string);
        for (var i = 0; i < infos.Count && fault is null; i++) fault = Map(infos[i], fds[i]);
        fault ??= Build();
        if (fault is null)
        {
            dropped.AddRange(before.Select(s => s.File));
            return null;
        }
        foreach (var (_, file) in _slots) file.Dispose();
        _slots.Clear();
        _slots.AddRange(before);
        return fault;
    }

    /// <summary>Adds a region. One that is there already stays: QEMU 7.2 adds each region once per queue pair.</summary>
    /// <returns>Why it cannot be added, or null.</returns>
    public string? Add(MemoryRegionInfo info, Fd fd)
    {
        if (_slots.Exists(s => s.Info == info)) return null;
        if (_slots.Count == MaxSlots) return $"more than {MaxSlots} regions";
        var fault = Map(info, fd);
        if (fault is not null) return fault;
        fault = Build();
        if (fault is null) return null;
        _slots[^1].File.Dispose();
        _slots.RemoveAt(_slots.Count - 1);
        return fault;
    }

    /// <summary>
    /// Removes the region with these addresses and size. One that is not there was removed by another queue pair of the same front-end.
    /// </summary>
    /// <returns>Why it cannot be removed, or null.</returns>
    public string? Remove(MemoryRegionInfo info, List<IDisposable> dropped)
    {
        var at = _slots.FindIndex(s =>
            s.Info.GuestAddress == info.GuestAddress && s.Info.UserAddress == info.UserAddress && s.Info.Size == info.Size);
        if (at < 0) return null;
        dropped.Add(_slots[at].File);
        _slots.RemoveAt(at);
        return Build();
    }

    /// <summary>Forgets everything.</summary>
    public void Clear(List<IDisposable> dropped)
    {
        dropped.AddRange(_slots.Select(s => s.File));
        _slots.Clear();
        Ram = GuestRam.Empty;
    }

    private string? Map(in MemoryRegionInfo info, Fd fd)
    {
        if (info.UserAddress + info.Size < info.UserAddress) return $"the region at user address 0x{info.UserAddress:x} wraps around";
        var error = MappedFile.TryMap(fd.Raw, info.FileOffset, info.Size, Protection.ReadWrite, out var file);
        if (file is null)
        {
            var why = error == Errno.ENXIO ? "it reaches beyond the end of its file" : LinuxException.Describe(error);
            return $"the region at guest address 0x{info.GuestAddress:x} of 0x{info.Size:x} bytes cannot be mapped: {why}";
        }
        _slots.Add((info, file));
        return null;
    }

    private string? Build()
    {
        try
        {
            var regions = _slots.Select(s => new GuestRegion(s.Info.GuestAddress, s.Info.Size, s.File.Address, s.Info.UserAddress)).ToArray();
            Ram = new GuestRam(new GuestMemory(regions), [.. _slots.Select(s => s.File)]);
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }
}
