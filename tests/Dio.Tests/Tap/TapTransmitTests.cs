using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Dio.Tap;
using NicHost.Linux;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Tap;

public sealed class TapTransmitTests
{
    [Fact]
    public void Frames_beyond_the_kernels_room_are_not_taken()
    {
        var (near, far) = UnixSocket.Pair(UnixSocketType.SeqPacket);
        using (near)
        using (far)
        {
            var counters = new QueueCounters();
            var transmit = new TapTransmit(counters) { Fd = near.Raw };
            using var batch = new TxBuilder();
            for (var i = 0; i < 64; i++) batch.Add(TestFrames.Plain(1500, i));
            var sent = 0;
            while (!transmit.IsStalled) sent += batch.Offer(transmit);
            Assert.True(sent > 0 && sent % 64 < 64);

            var buffer = new byte[4096];
            var received = 0;
            while (Sockets.Receive(far.Raw, buffer) is { Ok: true } result)
            {
                Assert.Equal(VnetHeader.Size + 1500, result.Count);
                Assert.Equal(TestFrames.Plain(1500, received++ % 64), buffer[VnetHeader.Size..result.Count]);
            }
            Assert.Equal(sent, received);
            Assert.Equal(0, counters.TxDropped(DropReason.HostError));
        }
    }

    [Fact]
    public void Frames_without_a_tap_are_dropped_with_a_count()
    {
        var counters = new QueueCounters();
        using var batch = new TxBuilder();
        Assert.Equal(2, batch.Add(TestFrames.Plain(60, 1)).Add(TestFrames.Plain(60, 2)).TransmitTo(new TapTransmit(counters)));
        Assert.Equal(2, counters.TxDropped(DropReason.LinkDown));
    }

    [Theory]
    [InlineData(GsoKind.TcpV4, FrameFlags.None)]
    [InlineData(GsoKind.TcpV6, FrameFlags.Ecn)]
    [InlineData(GsoKind.Udp, FrameFlags.None)]
    [InlineData(GsoKind.None, FrameFlags.None)]
    public void Header_says_what_the_record_says(GsoKind kind, FrameFlags flags)
    {
        var offload = new FrameOffload
        {
            Checksum = ChecksumState.Partial, ChecksumStart = 34, ChecksumOffset = 16, Gso = kind, Flags = flags,
            SegmentSize = kind == GsoKind.None ? (ushort)0 : (ushort)1400, HeaderLength = kind == GsoKind.None ? (ushort)0 : (ushort)54,
        };
        Assert.True(VnetHeader.From(offload, 9000).TryRead(9000, out var back));
        Assert.Equal(offload, back);
    }

    [Fact]
    public void Header_that_contradicts_its_frame_is_refused()
    {
        Assert.False(new VnetHeader { Flags = 1, ChecksumStart = 50, ChecksumOffset = 16 }.TryRead(60, out _));
        Assert.False(new VnetHeader { GsoType = 1 }.TryRead(60, out _));
        Assert.False(new VnetHeader { GsoType = 7, GsoSize = 100 }.TryRead(60, out _));
    }
}
