using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.Net;

public sealed class ReceiveTests
{
    private const NetFeatures Offloads = NetFeatures.GuestCsum | NetFeatures.GuestTso4 | NetFeatures.GuestTso6 | NetFeatures.GuestEcn
        | NetFeatures.GuestUso4 | NetFeatures.GuestUso6;

    private static byte[] Frame(int length, byte seed = 1) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 7) + seed))];

    /// <summary>Puts together what the guest received: the frames, by their headers' counts.</summary>
    private static List<(NetHeader Header, byte[] Bytes)> Read(Guest guest, Dictionary<ushort, ulong> posted)
    {
        var frames = new List<(NetHeader, byte[])>();
        while (guest.Rx.Take() is { } first)
        {
            var header = guest.ReadHeader(posted[first.Head]);
            var bytes = guest.Memory.Span(posted[first.Head], first.Length)[guest.HeaderSize..].ToArray();
            var count = guest.Features.HasFlag(NetFeatures.MrgRxbuf) ? header.Buffers : 1;
            for (var i = 1; i < count; i++)
            {
                var (head, length) = guest.Rx.Take() ?? throw new InvalidOperationException("a frame is shown in parts");
                bytes = [.. bytes, .. guest.Memory.Span(posted[head], length)];
            }
            frames.Add((header, bytes));
        }
        return frames;
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(52, 64)]
    [InlineData(53, 64)]
    [InlineData(640, 64)]
    [InlineData(1514, 2048)]
    [InlineData(9000, 1536)]
    [InlineData(65549, 4096)]
    public void Frame_spreads_over_as_many_buffers_as_it_needs(int length, int buffer)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 128);
        var posted = guest.Post(100, buffer);
        Assert.True(nic.Queue.Deliver(Frame(length)));
        var (header, bytes) = Assert.Single(Read(guest, posted));
        Assert.Equal(Frame(length), bytes);
        Assert.Equal((length + 12 + buffer - 1) / buffer, header.Buffers);
        Assert.Equal(1, guest.Calls[0].Drain().Count);
        Assert.Equal(length, nic.Backend.Counters(0).RxBytes);
    }

    [Fact]
    public void Without_mergeable_buffers_a_chain_holds_the_frame()
    {
        foreach (var features in new[] { NetFeatures.ProtocolFeatures, NetFeatures.ProtocolFeatures | NetFeatures.Version1 })
        {
            using var nic = Nic.Started();
            using var guest = Guest.Running(nic, features);
            var header = guest.Allocate(12);
            var body = guest.Allocate(4096);
            guest.Rx.Add((header, guest.HeaderSize, true), (body, 1000, true), (body + 1000, 1000, true));
            Assert.True(nic.Queue.Deliver(Frame(1400)));
            Assert.Equal(1400 + guest.HeaderSize, guest.Rx.Take()!.Value.Length);
            Assert.Equal(Frame(1400), guest.Memory.Span(body, 1400).ToArray());
            // 5.1.6.4: num_buffers is 1 where it exists.
            if (guest.HeaderSize == 12) Assert.Equal(1, guest.ReadHeader(header).Buffers);
        }
    }

    [Fact]
    public void Several_reservations_are_filled_and_committed_in_order_and_spare_buffers_come_back()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 64);
        var posted = guest.Post(20, 1024);
        var device = nic.Queue.Device;
        var segments = new Segment[FrameLimits.MaxRxSegments];
        var open = new List<(RxTicket Ticket, Segment[] Segments)>();
        for (var i = 0; i < 4; i++)
        {
            var count = device.Reserve(4000, segments, out var ticket);
            Assert.Equal(4, count);
            open.Add((ticket, segments[..count]));
        }
        for (var i = 0; i < 3; i++)
        {
            var frame = Frame(500 + (i * 1000), (byte)i);
            SegmentOps.CopyFrom(open[i].Segments, 0, frame);
            device.Commit(open[i].Ticket, frame.Length, default);
        }
        device.Release(open[3].Ticket);
        device.Flush();
        var frames = Read(guest, posted);
        Assert.Equal([500, 1500, 2500], frames.Select(f => f.Bytes.Length));
        for (var i = 0; i < 3; i++) Assert.Equal(Frame(500 + (i * 1000), (byte)i), frames[i].Bytes);
        // 20 buffers, 1 + 2 + 3 used.
        for (var i = 0; i < 14; i++) Assert.True(nic.Queue.Deliver(Frame(100)));
        Assert.False(nic.Queue.Deliver(Frame(100)));
        Assert.Equal(14, Read(guest, posted).Count);
    }

    [Fact]
    public void Stop_with_buffers_out_of_order_neither_loses_nor_repeats_any()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 16);
        guest.Post(8, 1024);
        var device = nic.Queue.Device;
        var segments = new Segment[16];
        Assert.Equal(2, device.Reserve(2000, segments, out var first));
        Assert.Equal(2, device.Reserve(2000, segments, out var second));
        device.Commit(first, 100, default);
        device.Commit(second, 100, default);
        device.Flush();
        var reply = guest.Front.Ask(Request.GetVringBase, FrontEnd.State(0, 0));
        // The second buffer lies between two used ones: it comes back empty. So three are used in front of the base.
        var used = guest.Rx.TakeAll();
        Assert.Equal(3, used.Count(u => true) - used.Count(u => u.Length == 0 && used.IndexOf(u) < 2));
        Assert.Equal((ulong)used.Count << 32, reply);
        guest.StartRing(0, (uint)used.Count);
        for (var i = 0; i < 8 - used.Count; i++) Assert.True(nic.Queue.Deliver(Frame(100)));
        Assert.False(nic.Queue.Deliver(Frame(100)));
        Assert.Equal(8 - used.Count, guest.Rx.TakeAll().Count);
    }

    [Fact]
    public void In_order_ring_has_one_reservation_open_at_a_time()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.InOrder);
        var heads = guest.Post(8, 1024).Keys.ToArray();
        var device = nic.Queue.Device;
        var segments = new Segment[16];
        Assert.Equal(3, device.Reserve(3000, segments, out var ticket));
        Assert.Equal(0, device.Reserve(100, segments, out _));
        device.Commit(ticket, 100, default);
        Assert.True(nic.Queue.Deliver(Frame(100)));
        Assert.True(nic.Queue.Deliver(Frame(2000)));
        Assert.Equal(heads[..4], guest.Rx.TakeAll().Select(u => u.Head));
    }

    [Fact]
    public void Reservation_that_fails_asks_for_a_kick_and_tells_the_endpoint()
    {
        foreach (var eventIndex in new[] { NetFeatures.None, NetFeatures.EventIdx })
        {
            using var nic = Nic.Started();
            using var guest = Guest.Running(nic, Guest.Modern | eventIndex);
            Assert.Equal(eventIndex == 0 ? 1 : 0, guest.Rx.UsedFlags);
            Assert.False(nic.Queue.Deliver(Frame(100)));
            Assert.Equal(1, nic.Backend.Counters(0).RxStalls);
            Assert.Equal(0, guest.Rx.UsedFlags);
            var ready = nic.Queue.ReceiveReadies;
            guest.Post(1, 2048);
            guest.Kick(0);
            Assert.Equal(ready + 1, nic.Queue.ReceiveReadies);
            Assert.True(nic.Queue.Deliver(Frame(100)));
            // Nobody waits: further kicks are not passed on.
            guest.Post(1, 2048);
            guest.Kick(0);
            Assert.Equal(ready + 1, nic.Queue.ReceiveReadies);
        }
    }

    [Fact]
    public void Buffers_posted_too_few_are_kept_until_there_are_enough()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 128);
        var posted = guest.Post(2, 1024);
        Assert.False(nic.Queue.Deliver(Frame(3000)));
        foreach (var (head, at) in guest.Post(1, 1024)) posted[head] = at;
        guest.Kick(0);
        Assert.Equal(1, nic.Queue.ReceiveReadies);
        Assert.True(nic.Queue.Deliver(Frame(3000)));
        Assert.Equal(Frame(3000), Assert.Single(Read(guest, posted)).Bytes);
    }

    [Fact]
    public void Small_buffers_serve_a_large_reservation_when_the_frame_is_small()
    {
        // A guest without mergeable buffers and offloads posts 1526 bytes; the endpoint may read with more room than that.
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, NetFeatures.ProtocolFeatures | NetFeatures.Version1);
        var posted = guest.Post(3, 1526);
        Assert.True(nic.Queue.Deliver(Frame(1514), reserve: 9014));
        Assert.True(nic.Queue.Deliver(Frame(1515), reserve: 9014));
        Assert.True(nic.Queue.Deliver(Frame(60), reserve: 9014));
        var frames = Read(guest, posted);
        Assert.Equal([1514, 60], frames.Select(f => f.Bytes.Length));
        Assert.Equal(Frame(1514), frames[0].Bytes);
        Assert.Equal(Frame(60), frames[1].Bytes);
        Assert.Equal(1, nic.Backend.Counters(0).RxDropped(DropReason.NoBuffer));
    }

    [Fact]
    public void Small_ring_serves_super_frame_reservations()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 16);
        var posted = guest.Post(16, 1536);
        for (var i = 0; i < 3; i++) Assert.True(nic.Queue.Deliver(Frame(4000, (byte)i), reserve: 65549));
        var frames = Read(guest, posted);
        for (var i = 0; i < 3; i++) Assert.Equal(Frame(4000, (byte)i), frames[i].Bytes);
    }

    [Fact]
    public void Record_becomes_the_header()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | Offloads);
        Assert.Equal(OffloadSet.Checksum | OffloadSet.AllGso, nic.Queue.Accepted);
        var posted = guest.Post(8, 4096);
        var offload = new FrameOffload
        {
            Checksum = ChecksumState.Partial,
            ChecksumStart = 34,
            ChecksumOffset = 16,
            Gso = GsoKind.TcpV6,
            SegmentSize = 1428,
            HeaderLength = 74,
            Flags = FrameFlags.Ecn,
        };
        Assert.True(nic.Queue.Deliver(Frame(8000), offload));
        Assert.True(nic.Queue.Deliver(Frame(100), new FrameOffload { Checksum = ChecksumState.Verified }));
        Assert.True(nic.Queue.Deliver(Frame(100), new FrameOffload { Checksum = ChecksumState.Verified, Gso = GsoKind.Udp, SegmentSize = 9 }));
        var frames = Read(guest, posted);
        Assert.Equal(
            new NetHeader { Flags = 1, GsoType = NetHeader.GsoTcpV6 | NetHeader.GsoEcn, GsoSize = 1428, HeaderLength = 74, CsumStart = 34, CsumOffset = 16, Buffers = 2 },
            frames[0].Header);
        Assert.Equal(new NetHeader { Flags = NetHeader.FlagDataValid, Buffers = 1 }, frames[1].Header);
        Assert.Equal(new NetHeader { Flags = NetHeader.FlagDataValid, GsoType = NetHeader.GsoUdpL4, GsoSize = 9, Buffers = 1 }, frames[2].Header);
    }

    [Fact]
    public void Guest_without_checksum_offload_sees_no_flags()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | (Offloads & ~NetFeatures.GuestCsum));
        Assert.Equal(OffloadSet.None, nic.Queue.Accepted);
        var posted = guest.Post(1, 4096);
        Assert.True(nic.Queue.Deliver(Frame(100), new FrameOffload { Checksum = ChecksumState.Verified }));
        Assert.Equal(0, Assert.Single(Read(guest, posted)).Header.Flags);
    }

    [Fact]
    public void Tickets_out_of_order_or_twice_are_an_endpoints_error()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Post(4, 2048);
        var device = nic.Queue.Device;
        var segments = new Segment[4];
        device.Reserve(100, segments, out var first);
        device.Reserve(100, segments, out var second);
        Assert.Throws<InvalidOperationException>(() => device.Commit(second, 100, default));
        Assert.Throws<InvalidOperationException>(() => device.Commit(first, 101, default));
        Assert.Throws<InvalidOperationException>(() => device.Commit(first, 0, default));
        device.Commit(first, 100, default);
        Assert.Throws<InvalidOperationException>(() => device.Release(first));
        device.Release(second);
    }

    [Fact]
    public void Frame_allocates_nothing()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 256);
        var at = guest.Allocate(256 * 2048);
        var device = nic.Queue.Device;
        var segments = new Segment[FrameLimits.MaxRxSegments];
        long allocated = 0;
        for (var round = 0; round < 60; round++)
        {
            for (var i = 0; i < 200; i++) guest.Rx.Add((at + ((ulong)i * 2048), 2048, true));
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50; i++)
            {
                var count = device.Reserve(8000, segments, out var ticket);
                Assert.True(count > 0);
                device.Commit(ticket, 5000, default);
            }
            device.Flush();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            guest.Rx.TakeAll();
            if (guest.Rx.FreeDescriptors < 200) break;
        }
        Assert.Equal(0, allocated);
    }
}
