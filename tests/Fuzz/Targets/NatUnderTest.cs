using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Consomme;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Fuzz.Engine;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Fuzz.Targets;

/// <summary>One NAT with one queue, on a loop that is turned by hand; small limits, so that inputs reach them.</summary>
internal sealed class NatUnderTest : IDisposable
{
    private const string Limits = "\"limits\":{\"tcpFlows\":8,\"halfOpen\":4,\"udpFlows\":8,\"echoFlows\":4,\"dnsQueries\":4}";

    private readonly IEndpoint _endpoint;
    private readonly EventLoop _loop;
    private readonly OffloadSet _accepted;
    private uint _theirSequence;

    /// <param name="choice">1: the guest takes offloads; 2: the gateway leads to loopback; 4: large MTU.</param>
    /// <param name="time">The clock.</param>
    /// <param name="dns">Port of the name server on loopback.</param>
    public NatUnderTest(byte choice, TimeProvider time, int dns = 5300)
    {
        _loop = new EventLoop("nat", time);
        _loop.RunOnce();
        var mtu = (choice & 4) != 0 ? 9000 : 1500;
        _accepted = (choice & 1) != 0 ? OffloadSet.Checksum | OffloadSet.AllGso : OffloadSet.None;
        var loopback = (choice & 2) != 0 ? "true" : "false";
        var options = $$$"""
            {"kind":"consomme","hostLoopback":{{{loopback}}},{{{Limits}}},
             "dns":{"servers":["127.0.0.1:{{{dns}}}"],"records":[{"name":"host.test","value":"192.0.2.7"},{"name":"six.test","value":"2001:db8::1"},{"name":"alias.test","value":"host.test"}]}}
            """;
        _endpoint = new ConsommeFactory().Create(new EndpointContext
        {
            Nic = new NicIdentity("fuzz", "eth0"),
            Mac = new MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
            Mtu = mtu,
            Options = JsonDocument.Parse(options).RootElement,
            BaseDirectory = "/",
            Loop = _loop,
            Logging = NullLoggerFactory.Instance,
        });
        _endpoint.Start(new FakeEndpointHost());
        Device = new FakeDeviceQueue(64, accepted: _accepted);
        Queue = Open(mtu);
        Mtu = mtu;
    }

    public FakeDeviceQueue Device { get; private set; }

    public IEndpointQueue Queue { get; private set; }

    public QueueCounters Counters { get; } = new();

    /// <summary>Sees each frame to the guest.</summary>
    public Action<byte[]>? Received { get; set; }

    private int Mtu { get; }

    /// <summary>Lets everything that is due happen, and looks at the invariants.</summary>
    public void Settle()
    {
        if (!_loop.RunUntilIdle(3000)) throw new InvariantException("The loop does not come to rest.");
        if (Device.OpenReservations != 0) throw new InvariantException($"{Device.OpenReservations} reservations are open.");
        foreach (var frame in Device.Received)
        {
            Note(frame.Bytes);
            Received?.Invoke(frame.Bytes);
        }
        Device.Received.Clear();
    }

    public void RoomAgain()
    {
        Queue.ReceiveReady();
        Settle();
    }

    public void Reopen()
    {
        Queue.Close();
        Device.IsClosed = true;
        _loop.RunUntilIdle(3000);
        Device.Dispose();
        Device = new FakeDeviceQueue(64, accepted: _accepted);
        Queue = Open(Mtu);
        Settle();
    }

    /// <summary>Acknowledgement numbers in inputs count from the start of the flow; here they get the number that the other side chose.</summary>
    public void FitToFlow(byte[] frame)
    {
        if (frame.Length < 54 || frame[12] != 8 || frame[13] != 0 || frame[23] != 6) return;
        var at = 14 + ((frame[14] & 15) * 4) + 8;
        if (at + 4 > frame.Length) return;
        var relative = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(at));
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(at), relative + _theirSequence);
    }

    public void Dispose()
    {
        var writer = new InspectWriter("endpoint");
        _endpoint.Inspect(writer);
        Queue.Close();
        Device.IsClosed = true;
        _loop.RunUntilIdle(3000);
        _endpoint.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _loop.Dispose();
        Device.Dispose();
    }

    private IEndpointQueue Open(int mtu) => _endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = 0,
        Loop = _loop,
        Device = Device,
        AcceptedRx = _accepted,
        MaxRxFrame = (_accepted & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : mtu + FrameLimits.EthernetHeader,
        Counters = Counters,
    });

    // A SYN-ACK names the number that the flow counts from.
    private void Note(byte[] frame)
    {
        if (frame.Length < 54 || frame[12] != 8 || frame[13] != 0 || frame[23] != 6 || (frame[47] & 0x12) != 0x12) return;
        _theirSequence = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(38));
    }
}

/// <summary>A clock that inputs move.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _milliseconds = 1_000_000;

    public override long TimestampFrequency => 1000;

    public void Advance(long milliseconds) => _milliseconds += milliseconds;

    public override long GetTimestamp() => _milliseconds;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMilliseconds(_milliseconds);
}
