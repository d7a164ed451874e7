using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Front-ends come and go.</summary>
public sealed class AttachmentTests
{
    [Fact]
    public void Front_end_that_vanishes_makes_room_for_the_next()
    {
        using var nic = Nic.Started();
        var before = Descriptors.Open();
        for (var round = 0; round < 3; round++)
        {
            using var guest = Guest.Running(nic);
            guest.AssertPasses();
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
        guest.AssertPasses();
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
}
