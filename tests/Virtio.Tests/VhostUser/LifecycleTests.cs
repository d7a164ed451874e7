using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>The orders of messages that real front-ends were seen to use, each as a script.</summary>
public sealed class LifecycleTests
{
    private static readonly byte[] Frame = [.. Enumerable.Range(1, 60).Select(i => (byte)i)];

    private static byte[] State(uint index, uint value) => FrontEnd.State(index, value);

    private static void AssertPasses(Nic nic, Guest guest)
    {
        var before = nic.Queue.Frames.Count;
        guest.Send(Frame);
        Assert.Equal(before + 1, nic.Queue.Frames.Count);
        var posted = guest.Post(1, 2048);
        guest.Kick(0);
        Assert.True(nic.Queue.Deliver(Frame));
        var used = guest.Rx.TakeAll();
        Assert.Equal(Frame.Length + guest.HeaderSize, used[^1].Length);
        Assert.Contains(used[^1].Head, posted.Keys);
        guest.Tx.TakeAll();
    }

    [Fact]
    public void Enable_before_features_memory_and_rings_counts_when_these_come()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        guest.Negotiate();
        guest.SendTable();
        guest.StartRing(0);
        guest.StartRing(1);
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Enable_after_the_stop_starts_nothing_until_the_next_kick_descriptor()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        AssertPasses(nic, guest);
        guest.Front.Ask(Request.GetVringBase, State(0, 0));
        guest.Front.Ask(Request.GetVringBase, State(1, 0));
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        Assert.True(nic.Queue.Closed);
        guest.StartRing(0, 1);
        guest.StartRing(1, 1);
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Second_set_features_without_bit_30_leaves_rings_enabled_by_themselves()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.Front.Send(Request.SetFeatures, (ulong)(Guest.Modern & ~NetFeatures.ProtocolFeatures));
        guest.SendTable();
        guest.StartRing(0);
        guest.StartRing(1);
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Second_set_features_without_bit_30_wins_over_an_earlier_disable()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringEnable, State(1, 0));
        guest.Front.Send(Request.SetVringEnable, State(0, 0));
        guest.Front.Send(Request.SetFeatures, (ulong)(Guest.Modern & ~NetFeatures.ProtocolFeatures));
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Enable_without_bit_30_is_taken_at_its_word()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic, Guest.Modern & ~NetFeatures.ProtocolFeatures);
        guest.Front.Send(Request.SetOwner);
        guest.Front.Send(Request.SetFeatures, (ulong)guest.Features);
        guest.SendTable();
        foreach (var ring in new[] { 0, 1 }) guest.StartRing(ring);
        AssertPasses(nic, guest);
        guest.Front.Send(Request.SetVringEnable, State(0, 0));
        guest.Front.Send(Request.SetVringEnable, State(1, 0));
        Assert.True(nic.Queue.Closed);
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Rebind_without_get_vring_base_starts_from_the_new_base()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        AssertPasses(nic, guest);
        guest.Front.Send(Request.SetVringEnable, State(1, 0));
        guest.Front.Send(Request.SetVringEnable, State(0, 0));
        // The driver comes back with fresh rings in the same place, as UML's does.
        foreach (var ring in guest.Rings) guest.Memory.Span(ring.Descriptors, (int)(ring.End - ring.Descriptors)).Clear();
        using var again = new ReboundGuest(guest);
        guest.Front.Send(Request.SetFeatures, (ulong)guest.Features);
        guest.SendTable();
        guest.StartRing(0);
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        again.AssertPasses(nic);
        Assert.Empty(nic.Backend.Faults);
    }

    [Fact]
    public void Get_vring_base_stops_the_ring_and_tells_where_it_stood()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        for (var i = 0; i < 3; i++) guest.Send(Frame);
        var reply = guest.Front.Ask(Request.GetVringBase, State(1, 0));
        Assert.Equal(1u | (3ul << 32), reply);
        guest.Send(Frame);
        Assert.Equal(3, nic.Queue.Frames.Count);
        guest.StartRing(1, 3);
        Assert.Equal(4, nic.Queue.Frames.Count);
    }

    [Fact]
    public void Get_vring_base_of_a_ring_that_never_ran_gives_back_its_base()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.Front.Send(Request.SetVringBase, State(1, 77));
        Assert.Equal(1u | (77ul << 32), guest.Front.Ask(Request.GetVringBase, State(1, 0)));
    }

    [Fact]
    public void Posted_but_unused_receive_buffers_are_not_lost_by_a_stop()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Post(6, 2048);
        guest.Kick(0);
        // Six are taken for a large frame, one is used.
        Assert.True(nic.Queue.Deliver(Frame, reserve: 9000));
        Assert.Equal(0u | (1ul << 32), guest.Front.Ask(Request.GetVringBase, State(0, 0)));
        Assert.Single(guest.Rx.TakeAll());
        guest.StartRing(0, 1);
        for (var i = 0; i < 5; i++) Assert.True(nic.Queue.Deliver(Frame));
        Assert.False(nic.Queue.Deliver(Frame));
        Assert.Equal(5, guest.Rx.TakeAll().Count);
    }

    [Fact]
    public void Base_beyond_zero_is_where_the_ring_goes_on()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.SendTable();
        guest.Tx.AvailIndex = 65535;
        guest.Tx.UsedIndex = 65535;
        guest.StartRing(1, 65535);
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        guest.Tx.Descriptor(0) = new() { Address = guest.Allocate(200), Length = 100 };
        guest.Tx.AvailEntry(65535) = 0;
        guest.Tx.AvailIndex = 0;
        guest.Kick(1);
        Assert.Single(nic.Queue.Frames);
        Assert.Equal(0, guest.Tx.UsedIndex);
    }

    [Fact]
    public void Call_descriptor_replaced_takes_over_and_the_old_one_is_closed()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var before = Descriptors.Open();
        using var second = new EventFd();
        guest.Front.Send(Request.SetVringCall, 1, 0, second.Raw);
        Assert.Equal(before + 1, Descriptors.Open());
        // One may have gone to the old descriptor unseen.
        Assert.Equal(1, second.Drain().Count);
        guest.Calls[1].Drain();
        guest.Send(Frame);
        Assert.Equal(1, second.Drain().Count);
        Assert.Equal(0, guest.Calls[1].Drain().Count);
    }

    [Fact]
    public void Call_descriptor_that_is_a_socket_gets_eight_bytes()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var (ours, theirs) = UnixSocket.Pair();
        using (ours)
        using (theirs)
        {
            guest.Front.Send(Request.SetVringCall, 1, 0, theirs.Raw);
            guest.Send(Frame);
            var buffer = new byte[64];
            Assert.Equal(16, Sockets.Receive(ours.Raw, buffer).Count);
            // A reader that never reads fills it up; nothing waits.
            for (var i = 0; i < 5000; i++) EventFd.Signal(theirs.Raw);
            guest.Send(Frame);
            Assert.Equal(2, nic.Queue.Frames.Count);
        }
    }

    [Fact]
    public void Without_a_call_descriptor_the_guest_polls()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringCall, 1 | (1 << 8));
        guest.Send(Frame);
        Assert.NotNull(guest.Tx.Take());
        Assert.Equal(0, guest.Calls[1].Drain().Count);
    }

    [Fact]
    public void Without_a_kick_descriptor_the_ring_is_looked_at_by_timer()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringKick, 1 | (1 << 8));
        guest.Send(Frame, kick: false);
        Assert.Empty(nic.Queue.Frames);
        nic.Time.Advance(TimeSpan.FromMilliseconds(2));
        nic.Turn();
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Status_zero_stops_and_get_vring_base_still_answers()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Send(Frame);
        guest.Front.Send(Request.SetStatus, 0);
        Assert.True(nic.Queue.Closed);
        Assert.Equal(1u | (1ul << 32), guest.Front.Ask(Request.GetVringBase, State(1, 0)));
        Assert.Equal(0ul, guest.Front.Ask(Request.GetStatus));
    }

    [Fact]
    public void Reset_device_stops_the_rings_and_keeps_the_memory()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.ResetDevice);
        Assert.True(nic.Queue.Closed);
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        guest.Front.Send(Request.SetFeatures, (ulong)guest.Features);
        guest.StartRing(0);
        guest.StartRing(1);
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Disabled_ring_throws_the_guests_frames_away_and_gives_none()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var queue = nic.Queue;
        guest.Front.Send(Request.SetVringEnable, State(1, 0));
        guest.Send(Frame);
        Assert.Empty(queue.Frames);
        Assert.NotNull(guest.Tx.Take());
        Assert.Equal(1, nic.Backend.Counters(0).TxDropped(Contracts.Diagnostics.DropReason.LinkDown));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        guest.Send(Frame);
        Assert.Single(queue.Frames);
    }

    [Fact]
    public void Second_device_of_the_same_front_end_does_not_disturb_the_first()
    {
        using var nic = Nic.Started(queues: 2);
        using var guest = new Guest(nic, Guest.Modern | NetFeatures.Mq, ProtocolFeatures.ReplyAck | ProtocolFeatures.Mq, pairs: 2);
        guest.Negotiate();
        Assert.Equal(2ul, guest.Front.Ask(Request.GetQueueNum));
        guest.SendTable();
        foreach (var ring in new[] { 0, 1 })
        {
            guest.StartRing(ring);
            guest.Front.Send(Request.SetVringEnable, State((uint)ring, 1));
        }
        var first = nic.Queue;
        guest.Negotiate();
        foreach (var ring in new[] { 2, 3 })
        {
            guest.StartRing(ring);
            guest.Front.Send(Request.SetVringEnable, State((uint)ring, 1));
        }
        Assert.False(first.Closed);
        guest.Send(Frame, ring: 3);
        Assert.Single(nic.Backend.Queues[1]!.Frames);
        AssertPasses(nic, guest);
        // ethtool -L in the guest.
        guest.Front.Send(Request.SetVringEnable, State(2, 0));
        guest.Front.Send(Request.SetVringEnable, State(3, 0));
        Assert.True(nic.Backend.Queues[1]!.Closed);
        AssertPasses(nic, guest);
    }

    [Fact]
    public void Virtio_user_order_of_queues_and_call_descriptors_works()
    {
        using var nic = Nic.Started(queues: 2);
        using var guest = new Guest(nic, Guest.Modern | NetFeatures.Mq, ProtocolFeatures.ReplyAck | ProtocolFeatures.Mq, pairs: 2);
        foreach (var ring in new[] { 0, 2, 1, 3 }) guest.Front.Send(Request.SetVringCall, (ulong)ring, 0, guest.Calls[ring].Raw);
        guest.Negotiate();
        Assert.Equal(0ul, guest.Front.Acked(Request.SetMemTable, guest.Table(), guest.Memory.File.Raw));
        foreach (var ring in new[] { 0, 2, 1, 3 })
        {
            guest.Front.Send(Request.SetVringNum, State((uint)ring, Guest.RingSize));
            guest.Front.Send(Request.SetVringBase, State((uint)ring, 0));
            guest.Front.Send(Request.SetVringAddr, guest.Addresses(ring));
            guest.Front.Send(Request.SetVringKick, (ulong)ring, 0, guest.Kicks[ring].Raw);
        }
        guest.Front.Send(Request.SetVringEnable, State(0, 1));
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        AssertPasses(nic, guest);
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        guest.Front.Send(Request.SetVringEnable, State(2, 1));
        guest.Front.Send(Request.SetVringEnable, State(3, 1));
        guest.Send(Frame, ring: 3);
        Assert.Single(nic.Backend.Queues[1]!.Frames);
    }

    [Fact]
    public void Settings_after_the_kick_descriptor_start_the_ring_when_the_last_one_is_there()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.Front.Send(Request.SetVringKick, 1, 0, guest.Kicks[1].Raw);
        guest.Front.Send(Request.SetVringEnable, State(1, 1));
        guest.SendTable();
        guest.Front.Send(Request.SetVringNum, State(1, Guest.RingSize));
        guest.Send(Frame);
        Assert.Null(nic.Backend.Queues[0]);
        guest.Front.Send(Request.SetVringAddr, guest.Addresses(1));
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Front_end_that_vanishes_makes_room_for_the_next()
    {
        using var nic = Nic.Started();
        var before = Descriptors.Open();
        for (var round = 0; round < 3; round++)
        {
            using var guest = Guest.Running(nic);
            AssertPasses(nic, guest);
        }
        Assert.True(nic.Queue.Closed);
        Assert.Equal(before, Descriptors.Open());
        Assert.Equal(6, nic.Backend.Attachments.Count);
        Assert.Null(nic.Backend.Attachments[^1]);
        Assert.Empty(nic.Backend.Faults);
    }

    [Fact]
    public void Second_front_end_is_turned_away_while_the_first_lives()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        using (var second = nic.Connect()) Assert.True(second.IsClosed);
        AssertPasses(nic, guest);
        // Gone and come back before the loop has looked once.
        guest.Front.Socket.Dispose();
        using var third = nic.Connect();
        Assert.False(third.IsClosed);
        Assert.Equal((ulong)nic.Device.Offered, third.Ask(Request.GetFeatures));
    }

    [Fact]
    public void Stop_of_the_device_removes_the_socket_and_hangs_up()
    {
        var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var stopping = nic.Device.DisposeAsync();
        Assert.False(stopping.IsFaulted);
        nic.Turn();
        Assert.False(File.Exists(nic.Path));
        Assert.True(guest.Front.IsClosed);
        nic.Dispose();
    }

    /// <summary>The driver's second life in the same memory.</summary>
    private sealed class ReboundGuest(Guest guest) : IDisposable
    {
        private readonly DriverRing _rx = new(guest.Memory, guest.Rx.Descriptors, Guest.RingSize);
        private readonly DriverRing _tx = new(guest.Memory, guest.Tx.Descriptors, Guest.RingSize);

        public void AssertPasses(Nic nic)
        {
            var at = guest.Allocate(100);
            _tx.Add((at, 100, false));
            guest.Kick(1);
            Assert.Single(nic.Queue.Frames);
            Assert.NotNull(_tx.Take());
            _rx.Add((guest.Allocate(2048), 2048, true));
            guest.Kick(0);
            Assert.True(nic.Queue.Deliver(Frame));
            Assert.NotNull(_rx.Take());
        }

        public void Dispose() { }
    }
}
