using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Consomme.Tests;

/// <summary>A guest on a NAT of its own: builds frames, sends them, and reads what comes back. The loop is turned by hand.</summary>
internal sealed class Guest : IDisposable
{
    public static readonly MacAddress Mac = new([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    public static readonly IpAddr Address = IpAddr.From(IPAddress.Parse("10.0.2.15"));
    public static readonly IpAddr Gateway = IpAddr.From(IPAddress.Parse("10.0.2.2"));
    public static readonly IpAddr Dns = IpAddr.From(IPAddress.Parse("10.0.2.3"));
    public static readonly IpAddr Address6 = IpAddr.From(IPAddress.Parse("fd00:10:0:2::f"));
    public static readonly IpAddr Gateway6 = IpAddr.From(IPAddress.Parse("fd00:10:0:2::2"));
    public static readonly IpAddr Dns6 = IpAddr.From(IPAddress.Parse("fd00:10:0:2::3"));
    public static readonly IpAddr LinkLocal = IpAddr.From(IPAddress.Parse("fe80::5054:ff:fe12:3456"));

    private readonly ConsommeFactory _factory = new();
    private readonly IEndpoint _endpoint;
    private readonly TxBuilder _tx = new();
    private readonly OffloadSet _accepted;
    private readonly int _mtu;

    public Guest(string options = "{}", OffloadSet accepted = OffloadSet.None, int mtu = 1500, FakeTimeProvider? time = null, int buffers = 256)
    {
        Time = time ?? new FakeTimeProvider();
        Loop = new EventLoop("guest", time);
        Loop.RunOnce();
        _accepted = accepted;
        _mtu = mtu;
        Running = Context(options);
        _endpoint = _factory.Create(Running);
        _endpoint.Start(Host);
        Device = new FakeDeviceQueue(buffers, accepted: accepted);
        Queue = OpenQueue();
    }

    public FakeTimeProvider Time { get; }

    public EventLoop Loop { get; }

    /// <summary>The endpoint's meters, and what they show.</summary>
    public TestMeters Meters { get; } = new();

    public FakeEndpointHost Host { get; } = new();

    public FakeDeviceQueue Device { get; }

    public IEndpointQueue Queue { get; private set; }

    /// <summary>What the endpoint runs with.</summary>
    public EndpointContext Running { get; private set; }

    /// <summary>Other options while everything runs, as the host gives them.</summary>
    public Guest Reconfigure(string options)
    {
        var wanted = Context(options);
        Assert.True(_factory.CanReconfigure(Running, wanted));
        _endpoint.Reconfigure(wanted);
        Running = wanted;
        Loop.RunUntilIdle();
        return this;
    }

    /// <summary>Closes the queue, as a guest that resets does.</summary>
    public void CloseQueue()
    {
        Queue.Close();
        Device.IsClosed = true;
    }

    /// <summary>Opens it again.</summary>
    public void ReopenQueue()
    {
        Device.IsClosed = false;
        Queue = OpenQueue();
    }

    public QueueCounters Counters { get; } = new();

    /// <summary>Sends one frame, in segments of an uneven size, and turns the loop until nothing is left to do at once.</summary>
    public Guest Send(byte[] frame, FrameOffload offload = default)
    {
        Assert.Equal(1, _tx.Add(frame, offload, 101).TransmitTo(Queue));
        Loop.RunUntilIdle();
        return this;
    }

    /// <summary>Sends several frames as one batch.</summary>
    public Guest Send(IEnumerable<byte[]> frames)
    {
        var count = 0;
        foreach (var frame in frames)
        {
            _tx.Add(frame);
            count++;
        }
        Assert.Equal(count, _tx.TransmitTo(Queue));
        Loop.RunUntilIdle();
        return this;
    }

    /// <summary>Turns the loop until a frame has come, at most ten seconds.</summary>
    public byte[] Receive() => ReceiveFrame().Bytes;

    public ReceivedFrame ReceiveFrame()
    {
        WaitUntil(() => Device.Received.Count > 0, "a frame");
        return Device.Take();
    }

    public void WaitUntil(Func<bool> condition, string what)
    {
        var deadline = Environment.TickCount64 + 10_000;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"Waited ten seconds for {what}; drops: {Drops()}");
            Loop.RunOnce(20);
        }
    }

    public void AssertSilent()
    {
        Loop.RunUntilIdle();
        Assert.Empty(Device.Received);
    }

    /// <summary>What was dropped, as text.</summary>
    public string Drops()
    {
        var parts = Enum.GetValues<DropReason>().SelectMany(r => new[] { ("tx", r, Counters.TxDropped(r)), ("rx", r, Counters.RxDropped(r)) });
        return string.Join(", ", parts.Where(p => p.Item3 > 0).Select(p => $"{p.Item1} {p.r} {p.Item3}"));
    }

    public InspectNode Inspect()
    {
        var writer = new InspectWriter("endpoint");
        _endpoint.Inspect(writer);
        return writer.Root;
    }

    /// <summary>A number in the inspect tree, by path.</summary>
    public long Number(string path)
    {
        var node = Inspect();
        foreach (var name in path.Split('.')) node = node.Children.Single(c => c.Name == name);
        return Convert.ToInt64(node.Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        Queue.Close();
        Device.IsClosed = true;
        Loop.RunUntilIdle();
        _endpoint.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Meters.Dispose();
        Loop.Dispose();
        Device.Dispose();
        _tx.Dispose();
    }

    private EndpointContext Context(string options) => new()
    {
        Nic = new NicIdentity("vm", "eth0"),
        Mac = Mac,
        Mtu = _mtu,
        Options = JsonDocument.Parse(options).RootElement,
        BaseDirectory = "/",
        Loop = Loop,
        Logging = NullLoggerFactory.Instance,
        Meters = Meters,
    };

    private IEndpointQueue OpenQueue() => _endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = 0,
        Loop = Loop,
        Device = Device,
        AcceptedRx = _accepted,
        MaxRxFrame = (_accepted & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : _mtu + 14,
        Counters = Counters,
    });
}
