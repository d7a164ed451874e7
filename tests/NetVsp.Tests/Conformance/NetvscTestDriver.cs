using System.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;
using NicHost.Probe.Stack;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.NetVsp.Tests.Conformance;

/// <summary>The probe's VMBus client and driver without its TCP/IP, as the conformance suite drives a guest.</summary>
public sealed unsafe class NetvscTestDriver(string socket, NetvscOptions? options = null) : INegotiatingGuestDriver
{
    private readonly List<ReceivedFrame>[] _received = [[], [], [], []];
    private VmbusClient? _bus;
    private GuestRam? _ram;
    private NetvscDriver? _driver;

    public VmbusClient Bus => _bus ?? throw new InvalidOperationException("Not attached.");

    public NetvscDriver Driver => _driver ?? throw new InvalidOperationException("Not attached.");

    public GuestRam Ram => _ram ?? throw new InvalidOperationException("Not attached.");

    public bool LinkIsUp => Driver.LinkIsUp;

    public OffloadSet AcceptedRx => Driver.RxOffloads;

    public void Attach(OffloadSet wanted, int queues = 1, bool postBuffers = true)
    {
        if (_bus is null)
        {
            _bus = new VmbusClient(socket, TimeSpan.FromSeconds(5));
            _ram = new GuestRam(128 << 20, 2);
            _bus.AddMemory(_ram);
        }
        Connect(wanted, queues, postBuffers);
    }

    /// <summary>From InitiateContact to a running card.</summary>
    public void Connect(OffloadSet wanted, int queues, bool postBuffers)
    {
        var settings = (options ?? new NetvscOptions { Socket = socket, ReceiveBuffer = 6 << 20 }) with { Offloads = wanted, Channels = queues, Filter = postBuffers ? 0x20u : 0 };
        if (!Bus.InitiateContact(settings.VmbusVersion)) throw new InvalidOperationException("The version is not spoken.");
        Bus.RequestOffers();
        _driver?.Dispose();
        // A driver that is loaded again takes new memory; what the last one had is gone for good.
        if (_ram is { } used && used.Left < 32 << 20) Renew();
        _driver = new NetvscDriver(settings, Bus, Ram, Bus.Offers.First(o => o.Index == 0));
        _driver.Primary.Sink = new Sink(_received[0]);
        _driver.Start();
        for (var i = 1; i < _driver.Queues.Count; i++) _driver.Queues[i].Sink = new Sink(_received[i]);
    }

    public void PostBuffers(int queue) => Driver.SetFilter(0x20);

    public bool TrySend(int queue, ReadOnlySpan<byte> frame, FrameOffload offload = default)
    {
        var channel = Driver.Queues[queue];
        if (!channel.TryBegin(frame.Length, out var room))
        {
            channel.Poll(new Sink(_received[queue]), 64);
            if (!channel.TryBegin(frame.Length, out room)) return false;
        }
        frame.CopyTo(room);
        channel.Send(frame.Length, null, 0, offload);
        channel.Flush();
        return true;
    }

    public ReceivedFrame? Receive(int queue, TimeSpan timeout)
    {
        var start = Stopwatch.GetTimestamp();
        var (kept, channel) = (_received[queue], Driver.Queues[queue]);
        while (kept.Count == 0 && channel.Poll(new Sink(kept), 64) == 0)
        {
            var left = timeout - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero) return null;
            channel.Wait((int)Math.Ceiling(Math.Min(left.TotalMilliseconds, 100)));
        }
        if (kept.Count == 0) return null;
        var frame = kept[0];
        kept.RemoveAt(0);
        return frame;
    }

    public void Detach()
    {
        Driver.Stop();
        Bus.Unload();
    }

    public void Vanish()
    {
        _driver?.Dispose();
        _driver = null;
        _bus?.Dispose();
        _bus = null;
        _ram?.Dispose();
        _ram = null;
        foreach (var kept in _received) kept.Clear();
    }

    public bool WaitForLink(bool up, TimeSpan timeout)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < timeout;)
        {
            Driver.Primary.Poll(null, 64);
            if (LinkIsUp == up) return true;
            Driver.Primary.Wait(50);
        }
        return false;
    }

    public void Dispose() => Vanish();

    private void Renew()
    {
        foreach (var region in Ram.Regions) Bus.DeleteMemory(region.GuestAddress, region.Length);
        Ram.Dispose();
        _ram = new GuestRam(128 << 20, 2);
        Bus.AddMemory(_ram);
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
