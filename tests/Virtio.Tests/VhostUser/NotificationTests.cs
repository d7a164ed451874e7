using NicHost.Linux;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Kicks and calls: through descriptors of several kinds, and without any.</summary>
public sealed class NotificationTests
{
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
        guest.Send(Guest.Frame);
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
            guest.Send(Guest.Frame);
            var buffer = new byte[64];
            Assert.Equal(16, Sockets.Receive(ours.Raw, buffer).Count);
            // A reader that never reads fills it up; nothing waits.
            for (var i = 0; i < 5000; i++) EventFd.Signal(theirs.Raw);
            guest.Send(Guest.Frame);
            Assert.Equal(2, nic.Queue.Frames.Count);
        }
    }

    [Fact]
    public void Without_a_call_descriptor_the_guest_polls()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringCall, 1 | (1 << 8));
        guest.Send(Guest.Frame);
        Assert.NotNull(guest.Tx.Take());
        Assert.Equal(0, guest.Calls[1].Drain().Count);
    }

    [Fact]
    public void Without_a_kick_descriptor_the_ring_is_looked_at_by_timer()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Front.Send(Request.SetVringKick, 1 | (1 << 8));
        guest.Send(Guest.Frame, kick: false);
        Assert.Empty(nic.Queue.Frames);
        nic.Time.Advance(TimeSpan.FromMilliseconds(2));
        nic.Turn();
        Assert.Single(nic.Queue.Frames);
    }
}
