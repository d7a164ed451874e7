using NicHost.Linux;

namespace NicHost.Hostile.Tests.Rig;

/// <summary>Descriptors that no honest front-end sends.</summary>
internal sealed class OddDescriptors : IDisposable
{
    private readonly List<IDisposable> _held = [];

    public OddDescriptors()
    {
        var regular = new FileStream(Path.GetTempFileName(), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose });
        var (one, other) = UnixSocket.Pair();
        var (dead, gone) = UnixSocket.Pair();
        var (full, filler) = UnixSocket.Pair();
        gone.Dispose();
        while (!Io.Write(filler.Raw, new byte[4096]).Failed) { }
        var folder = new Fd((int)Io.Open(Path.GetTempPath(), FileAccess.Read).OrThrow("open a folder"));
        var zero = new Fd((int)Io.Open("/dev/zero", FileAccess.ReadWrite).OrThrow("open /dev/zero"));
        var nothing = new Fd((int)Io.Open("/dev/null", FileAccess.ReadWrite).OrThrow("open /dev/null"));
        var memory = VirtualMemory.CreateMemoryFile("odd", 4096);
        var empty = VirtualMemory.CreateMemoryFile("empty", 0);
        var counter = new EventFd();
        counter.Signal();
        _held.AddRange([regular, one, other, dead, full, filler, folder, zero, nothing, memory, empty, counter]);
        int[] each = [(int)regular.SafeFileHandle.DangerousGetHandle(), one.Raw, dead.Raw, full.Raw, folder.Raw, zero.Raw, nothing.Raw, memory.Raw, empty.Raw, counter.Raw];
        Sets = [[], .. each.Select(fd => new[] { fd }), [memory.Raw, memory.Raw], [.. each[..8]], [.. each, .. each, .. each], [.. Enumerable.Repeat(memory.Raw, 200)]];
        AlwaysReadable = [dead.Raw, full.Raw, zero.Raw, nothing.Raw, counter.Raw];
    }

    /// <summary>One message's descriptors each.</summary>
    public IReadOnlyList<int[]> Sets { get; }

    /// <summary>Descriptors that epoll reports for ever, or cannot watch.</summary>
    public IReadOnlyList<int> AlwaysReadable { get; }

    public void Dispose()
    {
        foreach (var one in _held) one.Dispose();
    }
}
