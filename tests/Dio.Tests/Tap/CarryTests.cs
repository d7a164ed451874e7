using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Dio.Tests.Rig;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Tap;

/// <summary>Frames between guests and a bridge of the kernel.</summary>
public sealed class CarryTests
{
    private const string Bridge = """{"kind":"dio","switch":{"name":"br0","create":true},"nic":{"name":"web0","create":true}}""";

    /// <summary>A bridge with a port whose other end is far0.</summary>
    private const string World = """
        sysctl -qw net.ipv6.conf.default.disable_ipv6=1
        ip link add br0 type bridge; ip link set br0 up
        ip link add near0 type veth peer name far0; ip link set near0 master br0; ip link set near0 up; ip link set far0 up
        """;

    [NamespaceFact]
    public void Guests_on_one_bridge_reach_each_other() => NetWorld.Run("", () =>
    {
        using var web = Bench.Started(Bridge);
        using var db = Bench.Started(Bridge.Replace("web0", "db0", StringComparison.Ordinal));
        var (queue, _) = web.Open();
        var (_, device) = db.Open();
        SendUntil(web, queue, device, db, TestFrames.Plain(1514, 3));
        Assert.True(web.Endpoint.Link.IsUp);
    });

    // The far side is another guest: a packet socket would take tags out of the frame.
    [NamespaceTheory]
    [InlineData("ffffffffffff020000000001" + "88b5")]
    [InlineData("01005e0000fb020000000001" + "88b5")]
    [InlineData("525400123456020000000001" + "8100a00588b5")]
    [InlineData("525400123456020000000001" + "88a8a0058100000788b5")]
    public void Frame_of_any_kind_passes_as_it_is(string start) => NetWorld.Run("", () =>
    {
        using var web = Bench.Started(Bridge);
        using var db = Bench.Started(Bridge.Replace("web0", "db0", StringComparison.Ordinal));
        var (queue, _) = web.Open();
        var (_, device) = db.Open();
        SendUntil(web, queue, device, db, [.. Convert.FromHexString(start), .. new byte[1400]]);
    });

    [NamespaceFact]
    public void Isolated_guests_reach_the_way_out_and_not_each_other() => NetWorld.Run(World, () =>
    {
        const string isolated = """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0","create":true},"port":{"isolated":true,"learning":false}}""";
        using var web = Bench.Started(isolated);
        using var db = Bench.Started(isolated.Replace("web0", "db0", StringComparison.Ordinal));
        using var peer = new PacketSocket("far0");
        var (queue, _) = web.Open();
        var (_, device) = db.Open();
        Assert.Contains("learning off", NetWorld.Shell("bridge -d link show dev web0"), StringComparison.Ordinal);
        var frame = TestFrames.Plain(200, 5);
        frame.AsSpan(0, 6).Fill(0xff);
        SendUntil(web, queue, peer, frame, "the frame");
        // What the far end sends to all reaches both; by then the guest's would have, too.
        byte[] last = [.. frame];
        last[11] = 9;
        db.Until(() =>
        {
            peer.Send(last);
            return device.Received.Any(r => r.Bytes.AsSpan().SequenceEqual(last));
        }, "the far end's frame");
        Assert.DoesNotContain(device.Received, r => r.Bytes.AsSpan().SequenceEqual(frame));
    });

    [NamespaceTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void SuperFrame_of_the_guest_is_one_at_the_far_side(bool v4) => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        var (queue, _) = bench.Open();
        var (frame, offload) = SuperFrame(v4, 65_000, 1400);
        var seen = SendUntil(bench, queue, peer, frame, "the super-frame", offload);
        Assert.Equal((1400, v4 ? 1 : 4), (seen.GsoSize, seen.GsoType & 0x7f));
    });

    [NamespaceTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void SuperFrame_of_the_guest_is_divided_for_a_far_side_that_takes_none(bool v4) => NetWorld.Run(World + "\nethtool -K near0 tso off gso off tx off >/dev/null", () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        var (queue, _) = bench.Open();
        var (frame, offload) = SuperFrame(v4, 65_000, 1400);
        var headers = v4 ? 54 : 74;
        using var batch = new TxBuilder();
        var frames = new List<byte[]>();
        bench.Until(() =>
        {
            if (frames.Count == 0) Assert.Equal(1, batch.Add(frame, offload, 4096).TransmitTo(queue));
            while (peer.TryReceive(f => f.AsSpan(12, 2).SequenceEqual(frame.AsSpan(12, 2))) is { } one) frames.Add(one.Frame);
            return frames.Count >= 47;
        }, "47 frames");
        // Every byte once: 46 of 1,400 and what is left.
        Assert.Equal(frame[headers..], frames.Take(47).SelectMany(one => one[headers..]));
        Assert.Equal([.. Enumerable.Repeat(headers + 1400, 46), headers + 600], frames.Take(47).Select(one => one.Length));
        Assert.All(frames, one => Assert.True(TestFrames.HasGoodTransportChecksum(one)));
    });

    [NamespaceTheory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void SuperFrame_to_the_guest_is_whole_where_accepted_else_divided(bool v4, bool accepted) => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        var (_, device) = bench.Open(accepted ? null : OffloadSet.None);
        var (frame, offload) = SuperFrame(v4, 14_000, 1400);
        var header = new PacketSocket.Header { Flags = 1, GsoType = (byte)(v4 ? 1 : 4), HeaderLength = (ushort)(v4 ? 54 : 74), GsoSize = 1400, ChecksumStart = offload.ChecksumStart, ChecksumOffset = 16 };
        bench.Until(() =>
        {
            if (device.Received.Count == 0) peer.Send(header, frame);
            return device.Received.Count >= (accepted ? 1 : 10);
        }, "the frames");
        if (accepted)
        {
            Assert.Equal(frame, device.Received[0].Bytes);
            Assert.Equal((v4 ? GsoKind.TcpV4 : GsoKind.TcpV6, (ushort)1400, ChecksumState.Partial), (device.Received[0].Offload.Gso, device.Received[0].Offload.SegmentSize, device.Received[0].Offload.Checksum));
        }
        else Assert.All(device.Received.Take(10), one => Assert.True(one.Bytes.Length == (v4 ? 1454 : 1474) && TestFrames.HasGoodTransportChecksum(one.Bytes)));
    });

    [NamespaceFact]
    public void Tag_out_of_line_and_open_header_checksum_leave_in_line_and_complete() => NetWorld.Run("", () =>
    {
        using var web = Bench.Started(Bridge);
        using var db = Bench.Started(Bridge.Replace("web0", "db0", StringComparison.Ordinal));
        var (queue, _) = web.Open();
        var (_, device) = db.Open();
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 1000, 1400);
        offload = offload with { Gso = GsoKind.None, SegmentSize = 0, Flags = FrameFlags.Vlan | FrameFlags.Ipv4HeaderChecksum, VlanTci = 0xa005 };
        using var batch = new TxBuilder();
        db.Until(() =>
        {
            batch.Add(frame, offload).TransmitTo(queue);
            web.Loop.RunOnce();
            return device.Received.Any(r => r.Bytes.Length == frame.Length + 4);
        }, "the tagged frame");
        var seen = device.Received.First(r => r.Bytes.Length == frame.Length + 4);
        Assert.Equal("8100a0050800", Convert.ToHexString(seen.Bytes.AsSpan(12, 6)).ToLowerInvariant());
        Assert.Equal(0xffff, TestFrames.Fold(TestFrames.NaiveSum(seen.Bytes.AsSpan(18, 20))));
        Assert.Equal((ChecksumState.Partial, (ushort)38), (seen.Offload.Checksum, seen.Offload.ChecksumStart));
    });

    [NamespaceTheory]
    [InlineData(256, 0)]
    [InlineData(20, 1)]
    public void Guest_with_few_buffers_gets_every_frame(int buffers, int copiedAtLeast) => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        // 20 buffers are fewer than the longest frame takes.
        var (_, device) = bench.Open(buffers: buffers);
        var (frame, offload) = SuperFrame(v4: true, 14_000, 1400);
        var header = new PacketSocket.Header { Flags = 1, GsoType = 1, HeaderLength = 54, GsoSize = 1400, ChecksumStart = offload.ChecksumStart, ChecksumOffset = 16 };
        bench.Until(() =>
        {
            if (device.Received.Count == 0) peer.Send(header, frame);
            return device.Received.Count > 0;
        }, "the first");
        device.Received.Clear();
        for (var i = 0; i < 20; i++)
        {
            peer.Send(header, frame);
            peer.Send(TestFrames.Plain(100 + i, i));
        }
        bench.Until(() => device.Received.Count(r => r.Bytes.Length == frame.Length) >= 20 && device.Received.Count(r => r.Bytes.Length < 1000) >= 20, "all frames");
        Assert.All(device.Received.Where(r => r.Bytes.Length == frame.Length), r => Assert.Equal(frame, r.Bytes));
        Assert.InRange((long)bench.Inspect().Children.Single(c => c.Name == "framesCopied").Value!, copiedAtLeast, copiedAtLeast * 100);
    });

    // From another guest: a packet socket would take the tag out.
    [NamespaceTheory]
    [InlineData(1518, true)]
    [InlineData(1514, false)]
    public void Longest_frame_with_a_tag_reaches_a_guest_that_takes_no_super_frames_and_has_room_for_it(int bufferSize, bool arrives) => NetWorld.Run("", () =>
    {
        using var web = Bench.Started(Bridge);
        using var db = Bench.Started(Bridge.Replace("web0", "db0", StringComparison.Ordinal));
        var (queue, _) = web.Open();
        // One buffer: what does not fit never will.
        var (_, device) = db.Open(OffloadSet.None, buffers: 1, bufferSize: bufferSize);
        byte[] tagged = [.. Convert.FromHexString("525400123456020000000001" + "8100a00588b5"), .. new byte[1500]];
        using var batch = new TxBuilder();
        db.Until(() =>
        {
            Assert.Equal(1, batch.Add(tagged).TransmitTo(queue));
            web.Loop.RunOnce();
            return arrives ? device.Received.Any(r => r.Bytes.AsSpan().SequenceEqual(tagged)) : db.Counters.RxDropped(DropReason.TooLong) > 0;
        }, "the tagged frame");
        // Nor does it stand in the way of others.
        SendUntil(web, queue, device, db, TestFrames.Plain(1514, 3));
    });

    [NamespaceFact]
    public void Guest_without_buffers_loses_nothing_once_it_posts_some() => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        var (queue, device) = bench.Open();
        WarmUp(bench, peer, device);
        device.Withheld = int.MaxValue;
        for (var i = 0; i < 200; i++) peer.Send(TestFrames.Plain(300, i));
        for (var i = 0; i < 50; i++) bench.Loop.RunOnce();
        Assert.Empty(device.Received);
        device.Withheld = 0;
        queue.ReceiveReady();
        bench.Until(() => device.Received.Count >= 200, "all frames");
        for (var i = 0; i < 200; i++) Assert.Equal(TestFrames.Plain(300, i), device.Received[i].Bytes);
        Assert.Equal(0, bench.Counters.RxDropped(DropReason.NoBuffer));
    });

    [NamespaceFact]
    public void Steady_traffic_both_ways_allocates_nothing() => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Bridge);
        using var peer = new PacketSocket("far0");
        var (queue, device) = bench.Open();
        device.Record = false;
        using var batch = new TxBuilder();
        for (var i = 0; i < 8; i++) batch.Add(TestFrames.Plain(1000, i));
        var frame = TestFrames.Plain(1000, 1);
        for (var i = 0; i < 3000; i++) Round(peer);
        var before = device.Commits;
        long allocated = 0;
        for (var i = 0; i < 1000; i++) allocated += Round(peer);
        Assert.True(device.Commits - before > 900);
        Assert.Equal(0, allocated);

        long Round(PacketSocket from)
        {
            from.Send(frame);
            var start = GC.GetAllocatedBytesForCurrentThread();
            batch.Offer(queue);
            bench.Loop.RunOnce();
            return GC.GetAllocatedBytesForCurrentThread() - start;
        }
    });

    [NamespaceFact]
    public void Tap_has_as_many_queues_as_the_guest_opens() => NetWorld.Run("", () =>
    {
        using var bench = Bench.Started(Bridge);
        Assert.Equal(0, Queues());
        var (first, _) = bench.Open(index: 0);
        var (second, _) = bench.Open(index: 1);
        Assert.Equal(2, Queues());
        second.Close();
        Assert.Equal(1, Queues());
        first.Close();
        Assert.Equal(0, Queues());

        static int Queues() => int.Parse(NetWorld.Shell("ip -d link show web0 | grep -o 'numqueues [0-9]*' | cut -d' ' -f2"), System.Globalization.CultureInfo.InvariantCulture);
    });

    // A bridge may look at IPv4 headers (br_netfilter), and drops one whose checksum is wrong.
    private static (byte[] Frame, FrameOffload Offload) SuperFrame(bool v4, int payload, ushort segmentSize)
    {
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, payload, segmentSize);
        if (v4) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~TestFrames.Fold(TestFrames.NaiveSum(frame.AsSpan(14, 20))));
        return (frame, offload);
    }

    private static void WarmUp(Bench bench, PacketSocket peer, FakeDeviceQueue device)
    {
        bench.Until(() =>
        {
            if (device.Received.Count == 0) peer.Send(TestFrames.Plain(60, 0));
            return device.Received.Count > 0;
        }, "the port forwards");
        for (var i = 0; i < 5; i++) bench.Loop.RunOnce();
        device.Received.Clear();
    }

    private static void SendUntil(Bench from, Contracts.Endpoints.IEndpointQueue queue, FakeDeviceQueue device, Bench to, byte[] frame)
    {
        using var batch = new TxBuilder();
        to.Until(() =>
        {
            Assert.Equal(1, batch.Add(frame).TransmitTo(queue));
            from.Loop.RunOnce();
            return device.Received.Any(r => r.Bytes.AsSpan().SequenceEqual(frame));
        }, "the frame at the other guest");
    }

    private static PacketSocket.Header SendUntil(Bench bench, Contracts.Endpoints.IEndpointQueue queue, PacketSocket peer, byte[] frame, string what, FrameOffload offload = default)
    {
        using var batch = new TxBuilder();
        (PacketSocket.Header Header, byte[] Frame)? seen = null;
        bench.Until(() =>
        {
            Assert.Equal(1, batch.Add(frame, offload, 4096).TransmitTo(queue));
            // The kernel finishes a TCP header's pseudo sum itself, the rest is as it was.
            seen = peer.TryReceive(f => f.Length == frame.Length && f.AsSpan(0, 14).SequenceEqual(frame.AsSpan(0, 14)));
            return seen is not null;
        }, $"{what} at the far side");
        Assert.Equal(frame, seen!.Value.Frame);
        return seen.Value.Header;
    }
}
