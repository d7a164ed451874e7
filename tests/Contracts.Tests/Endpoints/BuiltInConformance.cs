using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.Contracts.Tests.Endpoints;

public sealed class NullConformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop) => new NullEndpointFactory().Create(BuiltIn.Context(loop));
}

public sealed class LoopbackConformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop) => new LoopbackEndpointFactory().Create(BuiltIn.Context(loop));

    [Fact]
    public async Task Frames_come_back_as_they_went()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        using var batch = new TxBuilder();
        foreach (var length in new[] { 14, 60, 1514 }) batch.Add(TestFrames.Plain(length, length), segmentSize: 100);
        Assert.Equal(3, batch.TransmitTo(queue));
        foreach (var length in new[] { 14, 60, 1514 }) Assert.Equal(TestFrames.Plain(length, length), device.Take().Bytes);
        Assert.Equal(1, device.Flushes);
    }

    [Fact]
    public async Task Guest_without_buffers_stalls_the_sender_and_loses_nothing()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        device.Withheld = device.FreeBuffers - 2;
        device.Record = true;
        using var batch = new TxBuilder();
        for (var i = 0; i < 3; i++) batch.Add(TestFrames.Plain(1000, i));
        Assert.Equal(3, batch.Offer(queue));
        device.Withheld = int.MaxValue;
        Assert.Equal(0, batch.Offer(queue));
        device.Withheld = 0;
        queue.ReceiveReady();
        Assert.Equal(1, device.TransmitReadies);
        Assert.Equal(3, batch.Offer(queue));
        Assert.Equal(6, device.Received.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SuperFrame_to_a_guest_without_offloads_arrives_as_wire_frames_with_right_checksums(bool v4)
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint, OffloadSet.None);
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, 10_001, 1400, flags: 0x99); // CWR, ACK, PSH, FIN
        using var batch = new TxBuilder();
        Assert.Equal(1, batch.Add(frame, offload, 333).TransmitTo(queue));
        Assert.Equal(8, device.Received.Count);
        var header = v4 ? 54 : 74;
        Assert.Equal(frame.AsSpan(header).ToArray(), device.Received.SelectMany(f => f.Bytes.Skip(header)));
        Assert.All(device.Received, f => Assert.True(TestFrames.HasGoodTransportChecksum(f.Bytes)));
        Assert.Equal(new byte[] { 0x90, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x19 }, device.Received.Select(f => f.Bytes[header - 7]));
    }

    [Fact]
    public async Task SuperFrame_to_a_guest_that_takes_it_arrives_whole()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 60_000, 1448);
        using var batch = new TxBuilder();
        Assert.Equal(1, batch.Add(frame, offload, 4096).TransmitTo(queue));
        var received = device.Take();
        Assert.Equal(frame, received.Bytes);
        Assert.Equal(offload, received.Offload);
    }

    [Fact]
    public async Task Tag_to_a_guest_without_tags_goes_in_line()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint, OffloadSet.None);
        using var batch = new TxBuilder();
        batch.Add(TestFrames.Plain(100, 1), new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 0x2064 }, 5).TransmitTo(queue);
        var plain = TestFrames.Plain(100, 1);
        Assert.Equal([.. plain[..12], 0x81, 0x00, 0x20, 0x64, .. plain[12..]], device.Take().Bytes);
    }
}

internal static class BuiltIn
{
    public static EndpointContext Context(EventLoop loop) => new()
    {
        Nic = new NicIdentity("vm", "nic"),
        Mac = new MacAddress([2, 0, 0, 0, 0, 1]),
        Mtu = 1500,
        Options = JsonDocument.Parse("""{"kind":"x"}""").RootElement,
        BaseDirectory = "/",
        Loop = loop,
        Logging = NullLoggerFactory.Instance,
    };
}
