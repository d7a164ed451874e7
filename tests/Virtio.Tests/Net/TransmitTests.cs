using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.Net;

public sealed class TransmitTests
{
    private const NetFeatures Offloads = NetFeatures.Csum | NetFeatures.HostTso4 | NetFeatures.HostTso6 | NetFeatures.HostEcn | NetFeatures.HostUso;

    private static byte[] Frame(int length, byte seed = 1) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 7) + seed))];

    [Fact]
    public void Frame_from_the_guest_reaches_the_endpoint_and_comes_back_used()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var head = guest.Send(Frame(100));
        Assert.Equal(Frame(100), Assert.Single(nic.Queue.Frames).Bytes);
        Assert.Equal((head, 0), guest.Tx.Take());
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        Assert.Equal(1, nic.Backend.Counters(0).TxFrames);
        Assert.Equal(100, nic.Backend.Counters(0).TxBytes);
    }

    [Fact]
    public void Header_of_a_legacy_guest_without_mergeable_buffers_has_ten_bytes()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, NetFeatures.ProtocolFeatures);
        Assert.Equal(10, guest.HeaderSize);
        guest.Send(Frame(100));
        Assert.Equal(Frame(100), Assert.Single(nic.Queue.Frames).Bytes);
    }

    [Fact]
    public void Frame_may_lie_in_pieces_anyhow()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var whole = new byte[12].Concat(Frame(80)).ToArray();
        foreach (var cuts in new[] { new[] { 12 }, [5, 7], [5, 12, 13], [1, 2, 3, 4, 92], [0, 12, 12], [26] })
        {
            nic.Queue.Frames.Clear();
            var pieces = new List<(ulong, int, bool)>();
            var at = guest.Allocate(whole.Length + 64);
            var last = 0;
            foreach (var cut in cuts.Append(whole.Length))
            {
                var place = at + (ulong)last;
                whole[last..Math.Max(last, cut)].CopyTo(guest.Memory.Span(place, Math.Max(0, cut - last)));
                pieces.Add((place, Math.Max(0, cut - last), false));
                last = Math.Max(last, cut);
            }
            guest.Tx.Add([.. pieces]);
            guest.Kick(1);
            Assert.Equal(Frame(80), Assert.Single(nic.Queue.Frames).Bytes);
            Assert.NotNull(guest.Tx.Take());
        }
    }

    [Fact]
    public void Indirect_chain_is_followed()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.IndirectDesc);
        var header = guest.Allocate(12);
        var body = guest.Allocate(2000);
        Frame(1500).CopyTo(guest.Memory.Span(body, 1500));
        guest.Tx.AddIndirect(guest.Allocate(64), (header, 12, false), (body, 700, false), (body + 700, 800, false));
        guest.Kick(1);
        Assert.Equal(Frame(1500), Assert.Single(nic.Queue.Frames).Bytes);
        Assert.NotNull(guest.Tx.Take());
    }

    [Theory]
    [InlineData((byte)NetHeader.GsoTcpV4, GsoKind.TcpV4)]
    [InlineData((byte)NetHeader.GsoTcpV6, GsoKind.TcpV6)]
    [InlineData((byte)NetHeader.GsoUdpL4, GsoKind.Udp)]
    [InlineData((byte)(NetHeader.GsoTcpV4 | NetHeader.GsoEcn), GsoKind.TcpV4)]
    public void Super_frame_arrives_with_its_record(byte gso, GsoKind kind)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | Offloads);
        var header = new NetHeader { Flags = NetHeader.FlagNeedsCsum, GsoType = gso, GsoSize = 1448, HeaderLength = 66, CsumStart = 34, CsumOffset = 16 };
        guest.Send(Frame(20000), header);
        var (bytes, offload) = Assert.Single(nic.Queue.Frames);
        Assert.Equal(20000, bytes.Length);
        Assert.Equal(
            new FrameOffload
            {
                Checksum = ChecksumState.Partial,
                Gso = kind,
                Flags = (gso & NetHeader.GsoEcn) != 0 ? FrameFlags.Ecn : FrameFlags.None,
                ChecksumStart = 34,
                ChecksumOffset = 16,
                SegmentSize = 1448,
                HeaderLength = 66,
            },
            offload);
    }

    public static TheoryData<string, ulong, byte, byte, ushort, ushort, ushort> BadHeaders() => new()
    {
        { "checksum not negotiated", 0, 1, 0, 0, 34, 16 },
        { "checksum beyond the frame", (ulong)Offloads, 1, 0, 0, 90, 9 },
        { "checksum start beyond the frame", (ulong)Offloads, 1, 0, 0, 65535, 65535 },
        { "checksum inside the Ethernet header", (ulong)Offloads, 1, 0, 0, 12, 0 },
        { "tso without a checksum to complete", (ulong)Offloads, 0, 1, 1000, 34, 16 },
        { "tso of size 0", (ulong)Offloads, 1, 1, 0, 34, 16 },
        { "tso4 not negotiated", (ulong)(Offloads & ~NetFeatures.HostTso4), 1, 1, 1000, 34, 16 },
        { "tso6 not negotiated", (ulong)(Offloads & ~NetFeatures.HostTso6), 1, 4, 1000, 34, 16 },
        { "uso not negotiated", (ulong)(Offloads & ~NetFeatures.HostUso), 1, 5, 1000, 34, 6 },
        { "ecn not negotiated", (ulong)(Offloads & ~NetFeatures.HostEcn), 1, 0x81, 1000, 34, 16 },
        { "ecn with udp", (ulong)Offloads, 1, 0x85, 1000, 34, 6 },
        { "ecn alone", (ulong)Offloads, 1, 0x80, 1000, 34, 16 },
        { "ufo", (ulong)Offloads, 1, 3, 1000, 34, 6 },
        { "no kind", (ulong)Offloads, 1, 77, 1000, 34, 16 },
    };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void Header_that_asks_for_nonsense_is_dropped_with_a_count(string why, ulong features, byte flags, byte gso, ushort size, ushort start, ushort offset)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | (NetFeatures)features);
        var header = new NetHeader { Flags = flags, GsoType = gso, GsoSize = size, CsumStart = start, CsumOffset = offset };
        guest.Send(Frame(100), header, kick: false);
        guest.Send(Frame(60));
        Assert.True(nic.Queue.Frames.Count == 1, why);
        Assert.Equal(60, nic.Queue.Frames[0].Bytes.Length);
        Assert.Equal(2, guest.Tx.TakeAll().Count);
        Assert.Equal(1, nic.Backend.Counters(0).TxDropped(DropReason.BadOffload));
        Assert.Empty(nic.Backend.Faults);
    }

    [Fact]
    public void Frames_too_short_too_long_or_writable_are_dropped_with_a_count()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.IndirectDesc, ringSize: 256);
        var counters = nic.Backend.Counters(0);
        guest.Send(Frame(13));
        Assert.Equal(1, counters.TxDropped(DropReason.Malformed));
        guest.Send([]);
        Assert.Equal(2, counters.TxDropped(DropReason.Malformed));
        guest.Send(Frame(1518));
        Assert.Single(nic.Queue.Frames);
        guest.Send(Frame(1519));
        Assert.Equal(1, counters.TxDropped(DropReason.TooLong));
        var at = guest.Allocate(100_000);
        guest.Tx.Add((at, 90_000, false));
        guest.Kick(1);
        Assert.Equal(2, counters.TxDropped(DropReason.TooLong));
        guest.Tx.Add((at, 100, false), (at, 100, true));
        guest.Kick(1);
        Assert.Equal(3, counters.TxDropped(DropReason.Malformed));
        guest.Tx.AddIndirect(guest.Allocate(16 * 300), [.. Enumerable.Repeat((at, 4, false), 300)]);
        guest.Kick(1);
        Assert.Equal(3, counters.TxDropped(DropReason.TooLong));
        guest.Tx.AddIndirect(guest.Allocate(16 * 257), [(at, 12, false), .. Enumerable.Repeat((at, 4, false), 256)]);
        guest.Kick(1);
        Assert.Equal(2, nic.Queue.Frames.Count);
        Assert.Equal(8, guest.Tx.TakeAll().Count);
        Assert.Empty(nic.Backend.Faults);
    }

    [Fact]
    public void Batches_hold_64_frames_and_a_turn_four_of_them()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, ringSize: 1024);
        for (var i = 0; i < 700; i++) guest.Send(Frame(60), kick: false);
        guest.Kicks[1].Signal();
        nic.Loop.RunOnce();
        // Four for the kick, four for the posted rest; then the loop looks at the others.
        Assert.Equal(Enumerable.Repeat(64, 8), nic.Queue.Batches);
        nic.Turn();
        Assert.Equal(700, nic.Queue.Frames.Count);
        Assert.Equal(700, guest.Tx.TakeAll().Count);
    }

    [Fact]
    public void Endpoint_without_room_leaves_frames_in_the_ring_until_it_has_some()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        nic.Queue.Room = 2;
        for (var i = 0; i < 5; i++) guest.Send(Frame(60, (byte)i), kick: false);
        guest.Kick(1);
        Assert.Equal(2, nic.Queue.Frames.Count);
        Assert.Equal(2, guest.Tx.TakeAll().Count);
        Assert.Equal(1, nic.Backend.Counters(0).TxStalls);
        // Kicks do not hurry it.
        guest.Kick(1);
        Assert.Equal([2], nic.Queue.Batches);
        nic.Queue.Room = int.MaxValue;
        nic.Queue.Device.TransmitReady();
        nic.Turn();
        Assert.Equal(Enumerable.Range(0, 5).Select(i => Frame(60, (byte)i)), nic.Queue.Frames.Select(f => f.Bytes));
        Assert.Equal(3, guest.Tx.TakeAll().Count);
        guest.Send(Frame(60));
        Assert.Equal(6, nic.Queue.Frames.Count);
    }

    [Fact]
    public void Endpoint_that_has_room_again_before_its_call_returns_is_asked_again()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var queue = nic.Queue;
        queue.Room = 1;
        var calls = 0;
        queue.OnTransmit = () =>
        {
            if (calls++ > 0) queue.Room = int.MaxValue;
            else queue.Device.TransmitReady();
        };
        for (var i = 0; i < 3; i++) guest.Send(Frame(60), kick: false);
        guest.Kick(1);
        Assert.Equal(3, queue.Frames.Count);
    }

    [Fact]
    public void Frames_not_taken_are_where_get_vring_base_points()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        nic.Queue.Room = 2;
        for (var i = 0; i < 5; i++) guest.Send(Frame(60), kick: false);
        guest.Kick(1);
        Assert.Equal(1u | (2ul << 32), guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0)));
    }

    [Fact]
    public void Event_index_spares_kicks_and_calls()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.EventIdx);
        guest.Send(Frame(60));
        Assert.Equal(1, guest.Tx.AvailEvent);
        guest.Calls[1].Drain();
        guest.Tx.UsedEvent = 3;
        guest.Send(Frame(60));
        guest.Send(Frame(60));
        Assert.Equal(0, guest.Calls[1].Drain().Count);
        guest.Send(Frame(60));
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        guest.Send(Frame(60));
        Assert.Equal(0, guest.Calls[1].Drain().Count);
        Assert.Equal(5, guest.Tx.AvailEvent);
    }

    [Fact]
    public void Guest_that_wants_no_interrupt_gets_none()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Tx.AvailFlags = 1;
        guest.Send(Frame(60));
        Assert.Equal(0, guest.Calls[1].Drain().Count);
        guest.Tx.AvailFlags = 0;
        guest.Send(Frame(60));
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        Assert.Equal(0, guest.Tx.UsedFlags);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Frame_allocates_nothing(bool enabled)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.EventIdx, ringSize: 256);
        var at = guest.Allocate(100);
        nic.Queue.Forgets = true;
        if (!enabled) guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 0));
        long allocated = 0;
        for (var round = 0; round < 60; round++)
        {
            for (var i = 0; i < 200; i++) guest.Tx.Add((at, 100, false));
            guest.Kicks[1].Signal();
            var before = GC.GetAllocatedBytesForCurrentThread();
            nic.Loop.RunOnce();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(200, guest.Tx.TakeAll().Count);
        }
        Assert.Equal(0, allocated);
    }
}
