using NicHost.Contracts.Frames;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>An open TAP. Its queues are opened as the guest opens its own, so that the kernel spreads flows over exactly those.</summary>
internal sealed class TapDevice : IDisposable
{
    /// <summary>Bytes on their way through the kernel before a queue waits: several super-frames, and not the kernel's "no limit".</summary>
    private const int SendBuffer = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Fd[] _fds;
    private readonly bool _isPassed;
    private readonly bool _isMultiQueue;
    private TapOffloads? _offloads;

    private TapDevice(string name, Fd[] fds, bool isMultiQueue, bool isPassed)
    {
        (Name, _fds, _isMultiQueue, _isPassed) = (name, fds, isMultiQueue, isPassed);
        // No frame is to wait where nobody reads; the kernel's side sees no carrier until the guest opens a queue.
        foreach (var fd in fds) Park(fd);
        SetCarrier(up: false);
    }

    public string Name { get; }

    /// <summary>Queues that have frames of their own; further ones of the guest send through these.</summary>
    public int Queues => _isMultiQueue && !_isPassed ? int.MaxValue : _fds.Length;

    /// <summary>Whether the interface behind the descriptors is no more.</summary>
    public bool IsGone => Linux.Tap.Identify(_fds[0].Raw, out _, out _).Failed;

    /// <summary>Its own address in the kernel, which tells it from a namesake in another network namespace.</summary>
    public ulong Mac => Linux.Tap.GetMac(_fds[0].Raw, out var mac).Ok ? mac : 0;

    /// <summary>Opens a TAP by its name; makes it when <paramref name="create"/> is set.</summary>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public static TapDevice Open(string name, bool isMultiQueue, bool create)
    {
        var flags = Flags(isMultiQueue) | (create ? TapFlags.Exclusive : TapFlags.None);
        Linux.Tap.Open(name, flags, out var fd).OrThrow($"open TAP {name}");
        return Prepared(name, [fd!], isMultiQueue, isPassed: false);
    }

    /// <summary>Takes over descriptors that were passed to us.</summary>
    /// <exception cref="IOException">They are not what they have to be; they are closed.</exception>
    public static TapDevice Adopt(Fd[] fds)
    {
        try
        {
            var (name, flags) = Examine(fds);
            foreach (var fd in fds) Io.SetNonBlocking(fd.Raw, true).OrThrow($"make a queue of {name} non-blocking");
            return Prepared(name, fds, flags.HasFlag(TapFlags.MultiQueue), isPassed: true);
        }
        catch
        {
            foreach (var fd in fds) fd.Dispose();
            throw;
        }
    }

    /// <summary>A descriptor for one of the guest's queues, the caller's to close.</summary>
    /// <param name="index">Index of the guest's queue.</param>
    /// <param name="hasFrames">Whether frames to the guest come through it.</param>
    /// <exception cref="LinuxException">The kernel refuses.</exception>
    public Fd OpenQueue(int index, out bool hasFrames)
    {
        hasFrames = index < Queues;
        if (_isMultiQueue && !_isPassed)
        {
            Linux.Tap.Open(Name, Flags(isMultiQueue: true), out var opened).OrThrow($"open queue {index} of TAP {Name}");
            SetUp(opened!);
            return opened!;
        }
        var fd = _fds[index % _fds.Length];
        if (hasFrames && _isMultiQueue) Linux.Tap.SetAttached(fd.Raw, attached: true);
        var queue = fd.Dup();
        if (hasFrames) Drain(queue);
        return queue;
    }

    /// <summary>The guest has closed a queue.</summary>
    public void QueueClosed(int index)
    {
        if (_isPassed && index < Queues) Park(_fds[index]);
    }

    /// <summary>Shows the kernel's side whether somebody is plugged in.</summary>
    // Kernels before 4.20 have no such call: their TAP shows a carrier all the time.
    public void SetCarrier(bool up) => Linux.Tap.SetCarrier(_fds[0].Raw, up);

    /// <summary>Tells the kernel what the guest takes. The kernel does the rest itself before a frame comes here.</summary>
    public void SetOffloads(OffloadSet accepted)
    {
        var wanted = TapOffloads.None;
        if (accepted.Has(OffloadSet.Checksum))
        {
            wanted |= TapOffloads.Checksum;
            if (accepted.Has(OffloadSet.TsoV4)) wanted |= TapOffloads.Tso4;
            if (accepted.Has(OffloadSet.TsoV6)) wanted |= TapOffloads.Tso6;
            if (accepted.Has(OffloadSet.TsoEcn)) wanted |= TapOffloads.TsoEcn;
            if (accepted.Has(OffloadSet.UsoV4 | OffloadSet.UsoV6)) wanted |= TapOffloads.Uso;
        }
        lock (_gate)
        {
            if (_offloads == wanted) return;
            _offloads = wanted;
            if (Linux.Tap.SetOffloads(_fds[0].Raw, wanted).Failed) Linux.Tap.SetOffloads(_fds[0].Raw, wanted & ~TapOffloads.Uso);
        }
    }

    public void Dispose()
    {
        foreach (var fd in _fds) fd.Dispose();
    }

    private static TapFlags Flags(bool isMultiQueue) => TapFlags.VnetHeader | (isMultiQueue ? TapFlags.MultiQueue : TapFlags.None);

    private static TapDevice Prepared(string name, Fd[] fds, bool isMultiQueue, bool isPassed)
    {
        try
        {
            foreach (var fd in fds) SetUp(fd);
            return new TapDevice(name, fds, isMultiQueue, isPassed);
        }
        catch
        {
            foreach (var fd in fds) fd.Dispose();
            throw;
        }
    }

    private static void SetUp(Fd fd)
    {
        Linux.Tap.SetHeaderSize(fd.Raw, VnetHeader.Size).OrThrow("set the header size of a TAP");
        Linux.Tap.SetSendBuffer(fd.Raw, SendBuffer).OrThrow("set the send buffer of a TAP");
    }

    private static (string Name, TapFlags Flags) Examine(Fd[] fds)
    {
        string? first = null;
        TapFlags flags = default;
        foreach (var fd in fds)
        {
            if (Linux.Tap.Identify(fd.Raw, out var name, out flags).Failed) throw new IOException("A descriptor that was passed is no TAP's. Pass one that TUNSETIFF was done on.");
            if (!flags.HasFlag(TapFlags.Tap)) throw new IOException($"{name} is a TUN, which carries no Ethernet frames. Pass a TAP (IFF_TAP).");
            if (!flags.HasFlag(TapFlags.NoPacketInfo | TapFlags.VnetHeader)) throw new IOException($"{name} was opened without IFF_NO_PI and IFF_VNET_HDR. Open it with both.");
            if (first is not null && name != first) throw new IOException($"Descriptors of two TAPs were passed, {first} and {name}. Pass the queues of one.");
            first = name;
        }
        return (first ?? throw new IOException("No descriptor was passed."), flags);
    }

    private void Park(Fd fd)
    {
        if (_isMultiQueue) Linux.Tap.SetAttached(fd.Raw, attached: false);
    }

    // What came while nobody was there is old.
    private static void Drain(Fd queue)
    {
        Span<byte> start = stackalloc byte[64];
        for (var left = 4096; left > 0 && Io.Read(queue.Raw, start).Ok; left--) { }
    }
}
