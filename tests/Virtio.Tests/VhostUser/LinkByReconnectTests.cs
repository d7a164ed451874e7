using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Front-ends that keep the configuration space to themselves, as QEMU does, learn of the link by losing us.</summary>
public sealed class LinkByReconnectTests
{
    private const int Vmm = 100;
    private const int OtherVmm = 200;

    [Fact]
    public void Front_end_is_sent_away_while_the_link_is_down_and_goes_on_afterwards()
    {
        using var nic = Nic.Started();
        using (var guest = Quiet(nic))
        {
            nic.SetLink(LinkState.Down);
            Assert.True(guest.Front.IsClosed);
        }
        for (var i = 0; i < 3; i++) Assert.True(Comes(nic).IsClosed);
        Assert.Equal(2, nic.Backend.Attachments.Count);
        nic.SetLink(LinkState.Up10G);
        using var back = Guest.Running(nic);
        back.AssertPasses();
        nic.Pass(60_000);
        Assert.False(back.Front.IsClosed);
        Assert.Empty(nic.Backend.Faults);
    }

    [Fact]
    public void Link_that_was_down_for_a_moment_is_seen_too()
    {
        using var nic = Nic.Started();
        using (var guest = Quiet(nic))
        {
            nic.Device.SetLink(LinkState.Down);
            nic.Device.SetLink(LinkState.Up10G);
            nic.Turn();
            Assert.True(guest.Front.IsClosed);
        }
        using var back = Guest.Running(nic);
        nic.Pass(60_000);
        back.AssertPasses();
    }

    [Fact]
    public void Front_end_that_is_just_starting_its_rings_may_finish_that()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        nic.SetLink(LinkState.Down);
        nic.Pass(LinkByReconnect.QuietMilliseconds - 1);
        guest.Front.Ask(Request.GetFeatures);
        nic.Pass(LinkByReconnect.QuietMilliseconds - 1);
        Assert.False(guest.Front.IsClosed);
        // Also when the link is back meanwhile: the guest's driver runs, and would never know.
        nic.SetLink(LinkState.Up10G);
        nic.Pass(1);
        Assert.True(guest.Front.IsClosed);
    }

    [Fact]
    public void Vmm_that_starts_while_the_link_is_down_is_taken_until_its_guests_driver_runs()
    {
        using var nic = Nic.Started();
        nic.SetLink(LinkState.Down);
        using var guest = new Guest(nic);
        guest.Negotiate();
        nic.Pass(60_000);
        Assert.False(guest.Front.IsClosed);
        guest.StartAll();
        nic.Pass(LinkByReconnect.QuietMilliseconds);
        Assert.True(guest.Front.IsClosed);
        Assert.True(Comes(nic).IsClosed);
        // Another one in its place has to start, too; and the first one's return is then nothing new.
        nic.Process = OtherVmm;
        using var second = Guest.Running(nic);
        nic.Pass(LinkByReconnect.QuietMilliseconds);
        Assert.True(second.Front.IsClosed);
        Assert.True(Comes(nic).IsClosed);
        nic.SetLink(LinkState.Up10G);
        using var back = Guest.Running(nic);
        back.AssertPasses();
    }

    [Fact]
    public void Device_that_starts_without_a_link_sends_the_front_end_away_all_the_same()
    {
        using var nic = new Nic();
        nic.Backend.Link = LinkState.Down;
        nic.Device.Start(nic.Backend);
        using var guest = Quiet(nic);
        Assert.True(guest.Front.IsClosed);
    }

    [Fact]
    public void Guest_without_a_driver_has_nothing_to_forget()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        nic.SetLink(LinkState.Down);
        nic.SetLink(LinkState.Up10G);
        guest.StartAll();
        nic.Pass(60_000);
        guest.AssertPasses();
    }

    [Fact]
    public void Other_speed_of_a_link_that_stays_up_disturbs_nobody()
    {
        using var nic = Nic.Started();
        using var guest = Quiet(nic);
        nic.SetLink(new LinkState(true, 1000));
        nic.Pass(60_000);
        guest.AssertPasses();
    }

    [Fact]
    public void Front_end_that_can_be_told_keeps_its_session()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic, protocol: ProtocolFeatures.ReplyAck | ProtocolFeatures.BackendReq | ProtocolFeatures.Config);
        guest.Negotiate();
        var (ours, theirs) = UnixSocket.Pair();
        using (theirs) guest.Front.Send(Request.SetBackendReqFd, 0, 0, theirs.Raw);
        using (ours)
        {
            guest.StartAll();
            nic.Pass(LinkByReconnect.QuietMilliseconds);
            nic.SetLink(LinkState.Down);
            nic.Pass(60_000);
            Assert.False(guest.Front.IsClosed);
            Assert.NotNull(FrontEnd.TryRead(ours.Raw));
        }
    }

    [Fact]
    public void Vmm_that_does_not_reconnect_is_left_alone_where_the_option_says_so()
    {
        using var nic = Nic.Started(extra: ",\"linkByReconnect\":false");
        using var guest = Quiet(nic);
        nic.SetLink(LinkState.Down);
        nic.Pass(60_000);
        guest.AssertPasses();
        // The option counts from now on: the link is down now.
        nic.Reconfigure("");
        nic.Turn();
        Assert.True(guest.Front.IsClosed);
        Assert.True(Comes(nic).IsClosed);
        nic.Reconfigure(",\"linkByReconnect\":false");
        using var back = Guest.Running(nic);
        nic.Pass(60_000);
        back.AssertPasses();
    }

    [Fact]
    public void Where_we_connect_the_front_end_is_left_unless_it_is_asked_for()
    {
        using var plain = Nic.Started(extra: ",\"mode\":\"client\"");
        using var guest = Accepted(plain);
        plain.SetLink(LinkState.Down);
        plain.Pass(60_000);
        guest.AssertPasses();

        using var nic = Nic.Started(extra: ",\"mode\":\"client\",\"linkByReconnect\":true");
        using var listener = UnixSocket.Listen(nic.Path);
        using (var second = Accepted(nic, listener))
        {
            nic.SetLink(LinkState.Down);
            Assert.True(second.Front.IsClosed);
        }
        // It is looked at again and again, with growing pauses, because another VMM may listen there by now.
        nic.Pass(Connector.FirstPauseMilliseconds);
        using (var away = new FrontEnd(new Fd(UnixSocket.Accept(listener.Raw).Fd), nic.Turn)) Assert.True(away.IsClosed);
        Assert.True(UnixSocket.Accept(listener.Raw).WouldBlock);
        nic.SetLink(LinkState.Up10G);
        using var back = Accepted(nic, listener);
        nic.Pass(60_000);
        back.AssertPasses();
    }

    [Fact]
    public void Inspect_tells_who_waits_for_the_link()
    {
        using var nic = Nic.Started();
        using var guest = Quiet(nic);
        nic.SetLink(LinkState.Down);
        var writer = new Contracts.Diagnostics.InspectWriter("device");
        nic.Device.Inspect(writer);
        Assert.Equal("reconnect", writer.Root.Children.Single(c => c.Name == "linkShownBy").Value);
        Assert.Equal($"pid {Vmm}", writer.Root.Children.Single(c => c.Name == "awaitsLink").Value);
    }

    private static FrontEnd Comes(Nic nic)
    {
        var front = nic.Connect();
        nic.Turn();
        return front;
    }

    /// <summary>A guest that has been running for a while.</summary>
    private static Guest Quiet(Nic nic)
    {
        var guest = Guest.Running(nic);
        nic.Pass(LinkByReconnect.QuietMilliseconds);
        return guest;
    }

    private static Guest Accepted(Nic nic, Fd? listener = null)
    {
        using var own = listener is null ? UnixSocket.Listen(nic.Path) : null;
        nic.Pass(Connector.FirstPauseMilliseconds);
        var guest = new Guest(nic, new FrontEnd(new Fd(UnixSocket.Accept((listener ?? own)!.Raw).Fd), nic.Turn));
        guest.Negotiate();
        guest.StartAll();
        nic.Pass(LinkByReconnect.QuietMilliseconds);
        return guest;
    }
}
