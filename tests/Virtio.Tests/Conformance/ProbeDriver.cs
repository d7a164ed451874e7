using System.Buffers.Binary;
using System.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Linux;
using NicHost.Probe;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.Virtio.Tests.Conformance;

/// <summary>The probe's front-end and driver without its TCP/IP, as the conformance suite drives a guest.</summary>
public sealed unsafe class ProbeDriver(string socket) : INegotiatingGuestDriver
{
    private const VirtioFeatures Basic = VirtioFeatures.Version1 | VirtioFeatures.ProtocolFeatures | VirtioFeatures.MrgRxBuf | VirtioFeatures.Mac
        | VirtioFeatures.Status | VirtioFeatures.IndirectDesc | VirtioFeatures.EventIdx | VirtioFeatures.Mtu;

    private static readonly TimeSpan s_glance = TimeSpan.FromMilliseconds(50);

    private readonly List<ReceivedFrame>[] _received = [[], []];
    private VhostFrontend? _frontend;
    private GuestRam? _ram;
    private RxQueue[] _rx = [];
    private TxQueue[] _tx = [];

    /// <summary>What the device did wrong, as the driver saw it.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>The front-end while one is attached, for what no honest driver does.</summary>
    public VhostFrontend Frontend => _frontend ?? throw new InvalidOperationException("Not attached.");

    public IReadOnlyList<RxQueue> Rx => _rx;

    public IReadOnlyList<TxQueue> Tx => _tx;

    public GuestRam Ram => _ram ?? throw new InvalidOperationException("Not attached.");

    public bool LinkIsUp => (BinaryPrimitives.ReadUInt16LittleEndian(Frontend.ReadConfig(6, 2)) & 1) != 0;

    public OffloadSet AcceptedRx
    {
        get
        {
            var set = OffloadSet.None;
            if (Frontend.Has(VirtioFeatures.GuestCsum)) set |= OffloadSet.Checksum;
            if (Frontend.Has(VirtioFeatures.GuestTso4)) set |= OffloadSet.TsoV4;
            if (Frontend.Has(VirtioFeatures.GuestTso6)) set |= OffloadSet.TsoV6;
            if (Frontend.Has(VirtioFeatures.GuestEcn)) set |= OffloadSet.TsoEcn;
            if (Frontend.Has(VirtioFeatures.GuestUso4)) set |= OffloadSet.UsoV4;
            if (Frontend.Has(VirtioFeatures.GuestUso6)) set |= OffloadSet.UsoV6;
            return set;
        }
    }

    public void Attach(OffloadSet wanted, int queues = 1, bool postBuffers = true)
    {
        var features = Features(wanted) | (queues > 1 ? VirtioFeatures.Mq | VirtioFeatures.CtrlVq : 0);
        if (_frontend is null)
        {
            _frontend = VhostFrontend.Attach(new FrontendOptions { Socket = socket, Features = features, QueuePairs = queues });
            _frontend.Negotiate();
        }
        else _frontend.SetFeatures(_frontend.Offered & features);
        Free();
        _ram = new GuestRam(64 << 20, 2);
        _rx = [.. Enumerable.Range(0, queues).Select(_ => new RxQueue(_ram, 256, 4096, _frontend.Features, Faults))];
        _tx = [.. Enumerable.Range(0, queues).Select(_ => new TxQueue(_ram, 256, _frontend.Features, Faults))];
        _frontend.SetMemoryTable(_ram);
        for (var i = 0; i < queues; i++)
        {
            // The queue has filled its ring; what is not shown is not posted.
            if (!postBuffers) _rx[i].Ring.PublishAvail(0);
            _frontend.StartRing(2 * i, _rx[i].Ring, 0, _rx[i].Kick, _rx[i].Call);
            _frontend.StartRing((2 * i) + 1, _tx[i].Ring, 0, _tx[i].Kick, _tx[i].Call);
        }
        _frontend.SetStatus(0xf);
    }

    public void PostBuffers(int queue)
    {
        _rx[queue].Ring.PublishAvail((ushort)_rx[queue].Ring.Size);
        _rx[queue].Kick.Signal();
    }

    public bool TrySend(int queue, ReadOnlySpan<byte> frame, FrameOffload offload = default)
    {
        if (!_tx[queue].TryBegin(frame.Length, out var room)) return false;
        frame.CopyTo(room);
        _tx[queue].Send(frame.Length, null, 0, offload);
        _tx[queue].Flush();
        return true;
    }

    public ReceivedFrame? Receive(int queue, TimeSpan timeout)
    {
        var start = Stopwatch.GetTimestamp();
        var kept = _received[queue];
        while (kept.Count == 0 && _rx[queue].Poll(new Sink(kept), 64) == 0)
        {
            var left = timeout - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return null;
            if (!_rx[queue].WantCall(true)) continue;
            Io.Poll(_rx[queue].Call.Raw, PollEvents.In, (int)Math.Ceiling(Math.Min(left.TotalMilliseconds, 1000)));
            _rx[queue].Call.Drain();
        }
        if (kept.Count == 0) return null;
        var frame = kept[0];
        kept.RemoveAt(0);
        return frame;
    }

    public void Detach()
    {
        for (var i = 0; i < 2 * _rx.Length; i++) Frontend.StopRing(i);
        Frontend.SetStatus(0);
    }

    public void Vanish()
    {
        _frontend?.Dispose();
        _frontend = null;
        Free();
    }

    public bool WaitForLink(bool up, TimeSpan timeout)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < timeout;)
        {
            Frontend.ServeBackendChannel();
            if (LinkIsUp == up) return true;
            Io.Poll(Frontend.BackendChannel, PollEvents.In, (int)s_glance.TotalMilliseconds);
        }
        return false;
    }

    public void Dispose() => Vanish();

    private static VirtioFeatures Features(OffloadSet wanted)
    {
        var features = Basic;
        // Sending needs no permission beyond the offer: a driver takes what it is offered.
        if (wanted.HasFlag(OffloadSet.Checksum)) features |= VirtioFeatures.Csum | VirtioFeatures.GuestCsum;
        if (wanted.HasFlag(OffloadSet.TsoV4)) features |= VirtioFeatures.HostTso4 | VirtioFeatures.GuestTso4;
        if (wanted.HasFlag(OffloadSet.TsoV6)) features |= VirtioFeatures.HostTso6 | VirtioFeatures.GuestTso6;
        if (wanted.HasFlag(OffloadSet.TsoEcn)) features |= VirtioFeatures.HostEcn | VirtioFeatures.GuestEcn;
        if ((wanted & (OffloadSet.UsoV4 | OffloadSet.UsoV6)) != 0) features |= VirtioFeatures.HostUso | VirtioFeatures.GuestUso4 | VirtioFeatures.GuestUso6;
        return features;
    }

    private void Free()
    {
        foreach (var queue in _rx) queue.Dispose();
        foreach (var queue in _tx) queue.Dispose();
        _rx = [];
        _tx = [];
        foreach (var kept in _received) kept.Clear();
        _ram?.Dispose();
        _ram = null;
    }

    private sealed class Sink(List<ReceivedFrame> into) : IFrameSink
    {
        public void Receive(in RxFrame frame)
        {
            var bytes = new byte[frame.Length];
            frame.CopyTo(bytes);
            into.Add(new ReceivedFrame(bytes, frame.Offload));
        }
    }
}
