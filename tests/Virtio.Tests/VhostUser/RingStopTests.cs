using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>How rings stop, and where they go on.</summary>
public sealed class RingStopTests
{
    [Fact]
    public void Get_vring_base_stops_the_ring_and_tells_where_it_stood()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        for (var i = 0; i < 3; i++) guest.Send(Guest.Frame);
        var reply = guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0));
        Assert.Equal(1u | (3ul << 32), reply);
        guest.Send(Guest.Frame);
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
        guest.Front.Send(Request.SetVringBase, FrontEnd.State(1, 77));
        Assert.Equal(1u | (77ul << 32), guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0)));
    }

    [Fact]
    public void Posted_but_unused_receive_buffers_are_not_lost_by_a_stop()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Post(6, 2048);
        guest.Kick(0);
        // Six are taken for a large frame, one is used.
        Assert.True(nic.Queue.Deliver(Guest.Frame, reserve: 9000));
        Assert.Equal(0u | (1ul << 32), guest.Front.Ask(Request.GetVringBase, FrontEnd.State(0, 0)));
        Assert.Single(guest.Rx.TakeAll());
        guest.StartRing(0, 1);
        for (var i = 0; i < 5; i++) Assert.True(nic.Queue.Deliver(Guest.Frame));
        Assert.False(nic.Queue.Deliver(Guest.Frame));
        Assert.Equal(5, guest.Rx.TakeAll().Count);
    }

    [Fact]
    public void Status_zero_stops_and_get_vring_base_still_answers()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Send(Guest.Frame);
        guest.Front.Send(Request.SetStatus, 0);
        Assert.True(nic.Queue.Closed);
        Assert.Equal(1u | (1ul << 32), guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0)));
        Assert.Equal(0ul, guest.Front.Ask(Request.GetStatus));
    }

    [Fact]
    public void Reset_device_stops_the_rings_and_keeps_the_memory()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.ResetDevice);
        Assert.True(nic.Queue.Closed);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Front.Send(Request.SetFeatures, (ulong)guest.Features);
        guest.StartRing(0);
        guest.StartRing(1);
        guest.AssertPasses();
    }

    [Fact]
    public void Disabled_ring_throws_the_guests_frames_away_and_gives_none()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var queue = nic.Queue;
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 0));
        guest.Send(Guest.Frame);
        Assert.Empty(queue.Frames);
        Assert.NotNull(guest.Tx.Take());
        Assert.Equal(1, nic.Backend.Counters(0).TxDropped(Contracts.Diagnostics.DropReason.LinkDown));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Send(Guest.Frame);
        Assert.Single(queue.Frames);
    }

    [Fact]
    public void Rebind_without_get_vring_base_starts_from_the_new_base()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.AssertPasses();
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 0));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 0));
        // The driver comes back with fresh rings in the same place, as UML's does.
        foreach (var ring in guest.Rings) guest.Memory.Span(ring.Descriptors, (int)(ring.End - ring.Descriptors)).Clear();
        using var again = new ReboundGuest(guest);
        guest.Front.Send(Request.SetFeatures, (ulong)guest.Features);
        guest.SendTable();
        guest.StartRing(0);
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(0, 1));
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        again.AssertPasses(nic);
        Assert.Empty(nic.Backend.Faults);
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
            Assert.True(nic.Queue.Deliver(Guest.Frame));
            Assert.NotNull(_rx.Take());
        }

        public void Dispose() { }
    }
}
