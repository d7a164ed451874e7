using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>Bits of epoll(7).</summary>
[Flags]
public enum EpollEvents : uint
{
    /// <summary>Nothing; errors and hang-ups are reported even so.</summary>
    None = 0,
    /// <summary>Readable.</summary>
    In = 0x1,
    /// <summary>Urgent data.</summary>
    Priority = 0x2,
    /// <summary>Writable.</summary>
    Out = 0x4,
    /// <summary>An error is pending (also: the error queue has something).</summary>
    Error = 0x8,
    /// <summary>Both directions are closed.</summary>
    HangUp = 0x10,
    /// <summary>The peer closed its writing side.</summary>
    ReadHangUp = 0x2000,
    /// <summary>Wake only one of several waiters.</summary>
    Exclusive = 1u << 28,
    /// <summary>Report once, then stay silent until <see cref="Epoll.Modify"/>.</summary>
    OneShot = 1u << 30,
    /// <summary>Report changes, not states.</summary>
    EdgeTriggered = 1u << 31,
}

/// <summary>One report of epoll. This is the layout of arm64; on x64, where the kernel packs it, <see cref="Epoll.Wait"/> converts.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct EpollEvent
{
    /// <summary>What happened.</summary>
    public EpollEvents Events;
    private readonly uint _padding;

    /// <summary>What <see cref="Epoll.Add"/> was given.</summary>
    public ulong Data;
}

/// <summary>An epoll set. One thread waits on it; any thread may add, modify and remove.</summary>
public sealed unsafe class Epoll : IDisposable
{
    private const int CloExec = 0x80000;
    private const int OpAdd = 1;
    private const int OpDelete = 2;
    private const int OpModify = 3;
    private const int PackedSize = 12;

    private readonly Fd _fd;

    /// <summary>Creates an empty set.</summary>
    /// <exception cref="LinuxException">No descriptors left.</exception>
    public Epoll() => _fd = new Fd((int)SysResult.From(Libc.epoll_create1(CloExec)).OrThrow("create an epoll set"));

    private static bool IsPacked => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>The set's own descriptor (a set can be waited for in another set).</summary>
    public int Raw => _fd.Raw;

    /// <summary>Starts watching a descriptor.</summary>
    /// <param name="fd">An open descriptor; stays the caller's. Closing its last duplicate removes it.</param>
    /// <param name="events">What to watch for.</param>
    /// <param name="data">Comes back in <see cref="EpollEvent.Data"/>.</param>
    public SysResult Add(int fd, EpollEvents events, ulong data) => Control(OpAdd, fd, events, data);

    /// <summary>Changes what is watched for.</summary>
    /// <param name="fd">A watched descriptor.</param>
    /// <param name="events">What to watch for from now on.</param>
    /// <param name="data">Comes back in <see cref="EpollEvent.Data"/> from now on.</param>
    public SysResult Modify(int fd, EpollEvents events, ulong data) => Control(OpModify, fd, events, data);

    /// <summary>Stops watching a descriptor. Reports already handed out by <see cref="Wait"/> stay handed out.</summary>
    /// <param name="fd">A watched descriptor, not yet closed.</param>
    public SysResult Remove(int fd) => Control(OpDelete, fd, EpollEvents.None, 0);

    /// <summary>Waits for reports.</summary>
    /// <param name="events">Room for at least one report.</param>
    /// <param name="timeoutMs">Milliseconds, 0 to look only, -1 for ever.</param>
    /// <returns>How many reports were written; 0 when the time ran out or a signal came (the caller looks at its clock anyway).</returns>
    public SysResult Wait(Span<EpollEvent> events, int timeoutMs)
    {
        // SAFETY: pinned for the call; the kernel writes at most Length events of 12 or 16 bytes, and a slot has 16.
        fixed (EpollEvent* p = events)
        {
            SysResult result = SysResult.From(Libc.epoll_wait(_fd.Raw, p, events.Length, timeoutMs));
            if (result.Failed) return result.Error == Errno.EINTR ? new SysResult(0) : result;
            if (IsPacked) Unpack((byte*)p, result.Count);
            return result;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _fd.Dispose();

    private SysResult Control(int operation, int fd, EpollEvents events, ulong data)
    {
        byte* e = stackalloc byte[sizeof(EpollEvent)];

        // SAFETY: both forms fit the 16 bytes.
        Unsafe.WriteUnaligned(e, (uint)events);
        Unsafe.WriteUnaligned(e + (IsPacked ? 4 : 8), data);
        return SysResult.From(Libc.epoll_ctl(_fd.Raw, operation, fd, e));
    }

    private static void Unpack(byte* events, int count)
    {
        // SAFETY: from the last to the first, so that the wider slot i never overwrites a packed event below i that is still to be read;
        // count comes from the kernel and is at most the span's length.
        for (int i = count - 1; i >= 0; i--)
        {
            uint bits = Unsafe.ReadUnaligned<uint>(events + (i * PackedSize));
            ulong data = Unsafe.ReadUnaligned<ulong>(events + (i * PackedSize) + 4);
            EpollEvent* slot = (EpollEvent*)events + i;
            slot->Events = (EpollEvents)bits;
            slot->Data = data;
        }
    }
}
