using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>The orders in which real front-ends were seen to start and enable rings, each as a script.</summary>
public sealed class RingStartTests
{
    [Fact]
    public void Enable_before_features_memory_and_rings_counts_when_these_come()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Negotiate();
        guest.SendTable();
        guest.StartRing(0);
        guest.StartRing(1);
        guest.AssertPasses();
    }

    [Fact]
    public void Enable_after_the_stop_starts_nothing_until_the_next_kick_descriptor()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.AssertPasses();
        guest.Front.Ask(Request.GetVringBase, FrontEnd.State(0, 0));
        guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        Assert.True(nic.Queue.Closed);
        guest.StartRing(0, 1);
        guest.StartRing(1, 1);
        guest.AssertPasses();
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
        guest.AssertPasses();
    }

    [Fact]
    public void Second_set_features_without_bit_30_wins_over_an_earlier_disable()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 0));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 0));
        guest.Front.Send(Request.SetFeatures, (ulong)(Guest.Modern & ~NetFeatures.ProtocolFeatures));
        guest.AssertPasses();
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
        guest.AssertPasses();
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 0));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 0));
        Assert.True(nic.Queue.Closed);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.AssertPasses();
    }

    [Fact]
    public void Settings_after_the_kick_descriptor_start_the_ring_when_the_last_one_is_there()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.Front.Send(Request.SetVringKick, 1, 0, guest.Kicks[1].Raw);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.SendTable();
        guest.Front.Send(Request.SetVringNum, FrontEnd.State(1, Guest.RingSize));
        guest.Send(Guest.Frame);
        Assert.Null(nic.Backend.Queues[0]);
        guest.Front.Send(Request.SetVringAddr, guest.Addresses(1));
        Assert.Single(nic.Queue.Frames);
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
            guest.Front.Send(Request.SetVringNum, FrontEnd.State((uint)ring, Guest.RingSize));
            guest.Front.Send(Request.SetVringBase, FrontEnd.State((uint)ring, 0));
            guest.Front.Send(Request.SetVringAddr, guest.Addresses(ring));
            guest.Front.Send(Request.SetVringKick, (ulong)ring, 0, guest.Kicks[ring].Raw);
        }
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.AssertPasses();
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(2, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(3, 1));
        guest.Send(Guest.Frame, ring: 3);
        Assert.Single(nic.Backend.Queues[1]!.Frames);
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
            guest.Front.Send(Request.SetVringEnable, FrontEnd.State((uint)ring, 1));
        }
        var first = nic.Queue;
        guest.Negotiate();
        foreach (var ring in new[] { 2, 3 })
        {
            guest.StartRing(ring);
            guest.Front.Send(Request.SetVringEnable, FrontEnd.State((uint)ring, 1));
        }
        Assert.False(first.Closed);
        guest.Send(Guest.Frame, ring: 3);
        Assert.Single(nic.Backend.Queues[1]!.Frames);
        guest.AssertPasses();
        // ethtool -L in the guest.
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(2, 0));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(3, 0));
        Assert.True(nic.Backend.Queues[1]!.Closed);
        guest.AssertPasses();
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
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Tx.Descriptor(0) = new() { Address = guest.Allocate(200), Length = 100 };
        guest.Tx.AvailEntry(65535) = 0;
        guest.Tx.AvailIndex = 0;
        guest.Kick(1);
        Assert.Single(nic.Queue.Frames);
        Assert.Equal(0, guest.Tx.UsedIndex);
    }
}
