using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Options;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Wire;

namespace NicEndpoint1.Tests;

/// <summary>What this endpoint is for.</summary>
public sealed class ResponderTests : IDisposable
{
    private const ulong GuestMac = 0x5254_0012_3456;
    private const uint Guest = 0xC000_0202, Address = 0xC000_0201;

    private readonly EventLoop _loop = new();
    private readonly FakeDeviceQueue _device = new();
    private readonly TxBuilder _guest = new();
    private readonly QueueCounters _counters = new();
    private readonly IEndpointQueue _queue;

    public ResponderTests()
    {
        var endpoint = new ResponderFactory().Create(TestNic.EndpointContext(_loop, """{ "kind": "nic-endpoint-kind", "address": "192.0.2.1" }"""));
        endpoint.Start(new FakeEndpointHost());
        _queue = endpoint.OpenQueue(new EndpointQueueConfig
        {
            Index = 0, Loop = _loop, Device = _device, AcceptedRx = OffloadSet.None, MaxRxFrame = 1514, Counters = _counters,
        });
    }

    [Fact]
    public void ArpRequest_for_the_address_is_answered()
    {
        _guest.Add(Arp(Address)).TransmitTo(_queue);
        var answer = _device.Take().Bytes;
        Assert.True(EthernetView.TryParse(answer, out var ethernet));
        Assert.Equal(GuestMac, ethernet.Destination);
        Assert.True(ArpView.TryParse(ethernet.Payload, out var arp));
        Assert.Equal((ArpView.Reply, ethernet.Source, Address, Guest), (arp.Operation, arp.SenderMac, arp.SenderAddress, arp.TargetAddress));
    }

    [Fact]
    public void ArpRequest_for_another_address_is_dropped_with_a_count()
    {
        _guest.Add(Arp(Address + 1)).TransmitTo(_queue);
        Assert.Empty(_device.Received);
        Assert.Equal(1, _counters.TxDropped(DropReason.NotForUs));
    }

    [Fact]
    public void Ping_comes_back_whole()
    {
        _guest.Add(Ping(payload: 1000)).TransmitTo(_queue);
        Assert.True(EthernetView.TryParse(_device.Take().Bytes, out var ethernet));
        Assert.True(Ipv4View.TryParse(ethernet.Payload, out var ip));
        Assert.True(ip.IsChecksumValid);
        Assert.Equal((Address, Guest), (ip.Source, ip.Destination));
        Assert.True(IcmpView.TryParse(ip.Payload, out var icmp));
        Assert.True(icmp.IsChecksumValid(0));
        Assert.Equal((IcmpType.EchoReply, 7, 1000), (icmp.Type, icmp.Sequence, icmp.Payload.Length));
    }

    [Fact]
    public void Ping_with_a_wrong_checksum_is_not_answered()
    {
        var ping = Ping(payload: 100);
        ping[^1]++;
        _guest.Add(ping).TransmitTo(_queue);
        Assert.Empty(_device.Received);
    }

    [Fact]
    public void Address_that_is_none_is_refused_with_its_place()
    {
        var context = TestNic.EndpointContext(_loop, """{ "kind": "nic-endpoint-kind", "address": "example" }""");
        var fault = Assert.Single(Assert.Throws<OptionsException>(() => new ResponderFactory().Create(context)).Faults);
        Assert.Equal("$.address", fault.Path);
    }

    public void Dispose()
    {
        _loop.Dispose();
        _device.Dispose();
        _guest.Dispose();
    }

    private static byte[] Arp(uint target)
    {
        var frame = new byte[60];
        EthernetView.Write(frame, EthernetView.Broadcast, GuestMac, EtherType.Arp);
        ArpView.Write(frame.AsSpan(EthernetView.MinHeaderLength), ArpView.Request, GuestMac, Guest, 0, target);
        return frame;
    }

    private static byte[] Ping(int payload)
    {
        var frame = new byte[EthernetView.MinHeaderLength + Ipv4View.MinHeaderLength + IcmpView.HeaderLength + payload];
        EthernetView.Write(frame, 0x0200_0000_0000 | Address, GuestMac, EtherType.Ipv4);
        var packet = frame.AsSpan(EthernetView.MinHeaderLength);
        Ipv4View.Write(packet, IcmpView.HeaderLength + payload, IpProtocol.Icmp, Guest, Address);
        var message = packet[Ipv4View.MinHeaderLength..];
        for (var i = IcmpView.HeaderLength; i < message.Length; i++) message[i] = (byte)i;
        IcmpView.Write(message, IcmpType.Echo, 0, IcmpView.EchoRest(1, 7));
        IcmpView.WriteChecksum(message, 0);
        return frame;
    }
}
