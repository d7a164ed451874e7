using System.Buffers.Binary;
using System.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Driver;

/// <summary>
/// A whole guest in one object: memory, front-end, driver and stack. The thread that calls <see cref="RunUntil"/> is its only CPU.
/// </summary>
public sealed unsafe partial class ProbeGuest : IGuest
{
    // NAPI's: acknowledgements go out at least as often as this.
    private const int Budget = 64;

    private readonly GuestOptions _options;
    private readonly RxQueue[] _rx;
    private readonly TxQueue[] _tx;
    private readonly PollFd[] _waits;
    private int _begun;

    private ProbeGuest(GuestOptions options, VhostFrontend frontend)
    {
        _options = options;
        Frontend = frontend;
        Ram = new GuestRam(options.MemorySize, options.MemoryRegions);
        var config = frontend.Has(ProtocolFeatures.Config) ? frontend.ReadConfig(0, 12) : [];
        Mac = options.Mac ?? (config.Length >= 6 ? new MacAddress(config) : MacAddress.Derive(new NicIdentity("probe", "nic")));
        Mtu = options.Mtu ?? (config.Length == 12 && frontend.Has(VirtioFeatures.Mtu) ? BinaryPrimitives.ReadUInt16LittleEndian(config.AsSpan(10)) : 1500);
        TxOffloads = ReadTxOffloads(frontend.Features);
        var pairs = frontend.QueuePairs;
        _rx = new RxQueue[pairs];
        _tx = new TxQueue[pairs];
        for (var i = 0; i < pairs; i++)
        {
            _rx[i] = new RxQueue(Ram, options.RingSize, options.BufferSize ?? DefaultBufferSize(), frontend.Features, Faults);
            _tx[i] = new TxQueue(Ram, options.RingSize, frontend.Features, Faults);
        }
        _waits = new PollFd[(2 * pairs) + 2];
        Stack = new ProbeStack(this, faults: Faults) { Mtu = Mtu };
    }

    /// <summary>Its memory.</summary>
    public GuestRam Ram { get; }

    /// <summary>Its side of the socket.</summary>
    public VhostFrontend Frontend { get; }

    /// <summary>Its TCP/IP.</summary>
    public ProbeStack Stack { get; }

    /// <summary>What it saw the other side do wrong.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>Receive queues.</summary>
    public IReadOnlyList<RxQueue> Rx => _rx;

    /// <summary>Transmit queues.</summary>
    public IReadOnlyList<TxQueue> Tx => _tx;

    /// <inheritdoc/>
    public MacAddress Mac { get; }

    /// <inheritdoc/>
    public int Mtu { get; }

    /// <inheritdoc/>
    public OffloadSet TxOffloads { get; }

    /// <inheritdoc/>
    public long FramesSent => SentFrames();

    /// <inheritdoc/>
    public long FramesReceived
    {
        get
        {
            long sum = 0;
            foreach (var queue in _rx) sum += queue.Frames;
            return sum;
        }
    }

    /// <inheritdoc/>
    public long Kicks
    {
        get
        {
            long sum = 0;
            for (var i = 0; i < _rx.Length; i++) sum += _rx[i].Kicks + _tx[i].Kicks;
            return sum;
        }
    }

    /// <inheritdoc/>
    public string Summary
    {
        get
        {
            var words = new List<string> { Frontend.QueuePairs == 1 ? "1 queue pair" : $"{Frontend.QueuePairs} queue pairs" };
            var count = words.Count;
            if (Frontend.Has(VirtioFeatures.Csum)) words.Add("checksum");
            if (Frontend.Has(VirtioFeatures.HostTso4)) words.Add("TSO");
            if (Frontend.Has(VirtioFeatures.GuestTso4)) words.Add("large receive");
            if (Frontend.Has(VirtioFeatures.HostUso)) words.Add("USO");
            if (words.Count == count) words.Add("no offloads");
            return string.Join(", ", words);
        }
    }

    /// <summary>How often the guest had nothing to do and slept.</summary>
    public long Sleeps { get; private set; }

    /// <summary>Whether the back-end has closed the connection.</summary>
    public bool Disconnected { get; private set; }

    /// <summary>Attaches a guest and starts its queues.</summary>
    /// <exception cref="VhostException">The back-end is not there, or refuses.</exception>
    public static ProbeGuest Start(GuestOptions options)
    {
        var frontend = VhostFrontend.Attach(options.Frontend);
        try
        {
            frontend.Negotiate();
            var guest = new ProbeGuest(options, frontend);
            guest.StartQueues();
            return guest;
        }
        catch
        {
            frontend.Dispose();
            throw;
        }
    }

    /// <summary>Shares the memory and starts every ring from its beginning: what a driver's DRIVER_OK leads to.</summary>
    public void StartQueues()
    {
        Frontend.SetMemoryTable(Ram);
        for (var i = 0; i < _rx.Length; i++)
        {
            _rx[i].Reset();
            _tx[i].Reset();
            Frontend.StartRing(2 * i, _rx[i].Ring, 0, _rx[i].Kick, _rx[i].Call);
            Frontend.StartRing((2 * i) + 1, _tx[i].Ring, 0, _tx[i].Kick, _tx[i].Call);
        }
        Frontend.SetStatus(0xf);
        for (var i = 0; i < _rx.Length; i++) _rx[i].Kick.Signal();
    }

    /// <summary>Stops every ring, as a driver does when it is unloaded; <see cref="StartQueues"/> starts them again.</summary>
    public void StopQueues()
    {
        for (var i = 0; i < 2 * _rx.Length; i++) Frontend.StopRing(i);
        Frontend.SetStatus(0);
        Stack.ResetLink();
    }

    /// <inheritdoc/>
    public bool TryBegin(uint flow, int length, out Span<byte> room)
    {
        _begun = _tx.Length == 1 ? 0 : (int)(flow % (uint)_tx.Length);
        return _tx[_begun].TryBegin(length, out room);
    }

    /// <inheritdoc/>
    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload) => _tx[_begun].Send(length, tail, tailLength, offload);

    /// <summary>Does what there is to do now.</summary>
    /// <returns>Frames received.</returns>
    public int Poll()
    {
        var frames = 0;
        foreach (var queue in _rx) frames += queue.Poll(Stack, Budget);
        Stack.Poll();
        foreach (var queue in _tx) queue.Flush();
        return frames;
    }

    /// <summary>Works until <paramref name="done"/> says so.</summary>
    /// <returns>False when the time ran out or the back-end has gone.</returns>
    public bool RunUntil(Func<bool> done, TimeSpan timeout)
    {
        var start = Stopwatch.GetTimestamp();
        var idleSince = start;
        while (true)
        {
            var frames = Poll();
            var sent = SentFrames();
            if (done())
            {
                foreach (var queue in _tx) queue.Flush();
                return true;
            }
            foreach (var queue in _tx) queue.Flush();
            var now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(start, now) > timeout || Disconnected || _options.Cancellation.IsCancellationRequested) return false;
            if (frames > 0 || SentFrames() != sent) idleSince = now;
            else if (Stopwatch.GetElapsedTime(idleSince, now) >= _options.BusyPoll) Wait();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Frontend.Dispose();
        foreach (var queue in _rx) queue.Dispose();
        foreach (var queue in _tx) queue.Dispose();
        Ram.Dispose();
    }

    private long SentFrames()
    {
        long sum = 0;
        foreach (var queue in _tx) sum += queue.Frames;
        return sum;
    }

    private static OffloadSet ReadTxOffloads(VirtioFeatures features)
    {
        var set = OffloadSet.None;
        if ((features & VirtioFeatures.Csum) != 0) set |= OffloadSet.Checksum;
        if ((features & VirtioFeatures.HostTso4) != 0) set |= OffloadSet.TsoV4;
        if ((features & VirtioFeatures.HostTso6) != 0) set |= OffloadSet.TsoV6;
        if ((features & VirtioFeatures.HostEcn) != 0) set |= OffloadSet.TsoEcn;
        if ((features & VirtioFeatures.HostUso) != 0) set |= OffloadSet.UsoV4 | OffloadSet.UsoV6;
        return set;
    }

    // Without merging, one buffer has to hold the longest frame (virtio 1.2, 5.1.6.3.1).
    private int DefaultBufferSize()
    {
        const VirtioFeatures large = VirtioFeatures.GuestTso4 | VirtioFeatures.GuestTso6 | VirtioFeatures.GuestUso4 | VirtioFeatures.GuestUso6;
        if (Frontend.Has(VirtioFeatures.MrgRxBuf)) return 4096;
        var frame = (Frontend.Features & large) != 0 ? FrameLimits.MaxFrame : Mtu + FrameLimits.EthernetHeader + 4;
        return (frame + VirtioNetHeader.Size + 63) / 64 * 64;
    }
}
