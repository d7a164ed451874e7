using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Offload;
using NicHost.Testing;

namespace NicHost.Contracts.Tests.Offload;

public sealed class SoftwareTransmitterTests
{
    private readonly QueueCounters _counters = new();

    public static TheoryData<bool, bool, int, int> Cuts()
    {
        var data = new TheoryData<bool, bool, int, int>();
        foreach (var v4 in new[] { true, false })
        foreach (var checksums in new[] { true, false })
        foreach (var cut in new[] { int.MaxValue, 4096, 512, 61 })
        foreach (var payload in new[] { 1, 1000, 2999, 9001 })
            data.Add(v4, checksums, cut, payload);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cuts))]
    public void Super_frame_arrives_as_wire_frames_with_right_checksums_however_it_is_cut(bool v4, bool checksums, int cut, int payload)
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, payload, 1000, flags: 0x19);
        using var builder = new TxBuilder();
        var accepts = checksums ? OffloadSet.Checksum : OffloadSet.None;
        Assert.Equal(1, builder.Add(frame, offload, cut).TransmitTo(new SoftwareTransmitter(queue, accepts, _counters)));

        Assert.Equal(Math.Max(1, (payload + 999) / 1000), queue.Frames.Count);
        var header = v4 ? 54 : 74;
        Assert.Equal(frame[header..], queue.Frames.SelectMany(f => f.Bytes[header..]));
        Assert.All(queue.Frames, f => Assert.Equal(checksums ? ChecksumState.Partial : ChecksumState.Unknown, f.Offload.Checksum));
        Assert.All(queue.Frames, f => Assert.True(TestFrames.HasGoodTransportChecksum(f.Finished())));
        // FIN and PSH are on the last one only.
        Assert.Equal(0x19, queue.Frames[^1].Bytes[header - 7]);
        Assert.All(queue.Frames.SkipLast(1), f => Assert.Equal(0x10, f.Bytes[header - 7]));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(7)]
    public void Open_checksum_is_completed_in_a_copy(int cut)
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 401, segmentSize: 1000);
        offload.Gso = GsoKind.None;
        using var builder = new TxBuilder();
        builder.Add(frame, offload, cut);
        var before = builder.Memory.ToArray();
        Assert.Equal(1, builder.Offer(new SoftwareTransmitter(queue, OffloadSet.None, _counters)));
        Assert.Equal(before, builder.Memory.ToArray());
        Assert.True(TestFrames.HasGoodTransportChecksum(Assert.Single(queue.Frames).Bytes));
    }

    [Fact]
    public void Tag_is_put_in_line_and_an_open_header_checksum_is_closed()
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 100, segmentSize: 1000);
        offload = new FrameOffload { Flags = FrameFlags.Vlan | FrameFlags.Ipv4HeaderChecksum, VlanTci = 0x6123 };
        using var builder = new TxBuilder();
        Assert.Equal(1, builder.Add(frame, offload, 30).TransmitTo(new SoftwareTransmitter(queue, OffloadSet.Checksum, _counters)));
        var sent = Assert.Single(queue.Frames);
        Assert.Equal(FrameFlags.None, sent.Offload.Flags);
        Assert.Equal((0x8100, 0x6123, 0x0800), (Word(sent.Bytes, 12), Word(sent.Bytes, 14), Word(sent.Bytes, 16)));
        Assert.Equal(0xffff, TestFrames.Fold(TestFrames.NaiveSum(sent.Bytes.AsSpan(18, 20))));
        Assert.Equal(frame[34..], sent.Bytes[38..]);
    }

    [Fact]
    public void What_the_endpoint_takes_is_passed_on_as_it_is()
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: false, payload: 5000, segmentSize: 1000);
        using var builder = new TxBuilder();
        Assert.Equal(1, builder.Add(frame, offload, 512).TransmitTo(new SoftwareTransmitter(queue, OffloadSet.Checksum | OffloadSet.TsoV6, _counters)));
        Assert.Equal(frame, Assert.Single(queue.Frames).Bytes);
        Assert.Equal(1000, queue.Frames[0].Offload.SegmentSize);
    }

    [Fact]
    public void Super_frame_that_found_room_for_a_part_goes_on_where_it_stopped()
    {
        var queue = new Collector { Room = 2 };
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 5000, segmentSize: 1000);
        var transmitter = new SoftwareTransmitter(queue, OffloadSet.None, _counters);
        using var builder = new TxBuilder();
        builder.Add(frame, offload).Add(TestFrames.Plain(60, 1));
        Assert.Equal(0, builder.Offer(transmitter));
        queue.Room = 2;
        Assert.Equal(0, builder.Offer(transmitter));
        queue.Room = 10;
        Assert.Equal(2, builder.Offer(transmitter));
        Assert.Equal(6, queue.Frames.Count);
        Assert.Equal(frame[54..], queue.Frames.Take(5).SelectMany(f => f.Bytes[54..]));
    }

    [Fact]
    public void Guest_that_lies_about_its_frame_loses_it_with_a_count()
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 3000, segmentSize: 1000);
        using var builder = new TxBuilder();
        builder.Add(frame, offload with { Gso = GsoKind.TcpV6 });
        builder.Add(TestFrames.Plain(64, 1), new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = 60, ChecksumOffset = 16 });
        builder.Add(TestFrames.Plain(64, 1), new FrameOffload { Flags = FrameFlags.Ipv4HeaderChecksum });
        Assert.Equal(3, builder.TransmitTo(new SoftwareTransmitter(queue, OffloadSet.None, _counters)));
        Assert.Empty(queue.Frames);
        Assert.Equal(3, _counters.TxDropped(DropReason.BadOffload));
    }

    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(7, 0, 1)]
    [InlineData(8, 8000, 0)]
    public void Super_frame_of_too_many_wire_frames_is_dropped_with_a_count(ushort segmentSize, int arrive, int dropped)
    {
        var queue = new Collector();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 64_000, segmentSize);
        using var builder = new TxBuilder();
        Assert.Equal(1, builder.Add(frame, offload).TransmitTo(new SoftwareTransmitter(queue, OffloadSet.Checksum, _counters)));
        Assert.Equal(arrive, queue.Frames.Count);
        Assert.Equal(dropped, _counters.TxDropped(DropReason.BadOffload));
    }

    [Fact]
    public void Frames_cost_no_allocation()
    {
        var queue = new Collector { Keeps = false };
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 60_000, segmentSize: 1448);
        var transmitter = new SoftwareTransmitter(queue, OffloadSet.None, _counters);
        using var builder = new TxBuilder();
        builder.Add(frame, offload, 4096).Add(TestFrames.Plain(60, 1));
        builder.Offer(transmitter);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) builder.Offer(transmitter);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at));

    private sealed record Sent(byte[] Bytes, FrameOffload Offload)
    {
        /// <summary>As it would go on the wire.</summary>
        public byte[] Finished()
        {
            if (Offload.Checksum != ChecksumState.Partial) return Bytes;
            var wire = Bytes.ToArray();
            var sum = (ushort)~TestFrames.Fold(TestFrames.NaiveSum(wire.AsSpan(Offload.ChecksumStart)));
            BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(Offload.ChecksumStart + Offload.ChecksumOffset), sum);
            return wire;
        }
    }

    private sealed class Collector : IEndpointQueue
    {
        public List<Sent> Frames { get; } = [];

        public int Room { get; set; } = int.MaxValue;

        public bool Keeps { get; init; } = true;

        public int Transmit(in TxBatch batch)
        {
            var taken = 0;
            foreach (ref readonly var frame in batch.Frames)
            {
                if (Room == 0) break;
                Room--;
                taken++;
                if (!Keeps) continue;
                Assert.InRange(frame.SegmentCount, 1, FrameLimits.MaxTxSegments);
                var bytes = new byte[frame.Length];
                Assert.Equal(frame.Length, SegmentOps.TotalLength(batch.SegmentsOf(frame)));
                SegmentOps.CopyTo(batch.SegmentsOf(frame), 0, bytes);
                Frames.Add(new Sent(bytes, frame.Offload));
            }
            return taken;
        }

        public void ReceiveReady() { }

        public void Close() { }
    }
}
