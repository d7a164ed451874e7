using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Front-ends that read the configuration space, as UML does, see every time that the link went down.</summary>
public sealed class LinkByMessageTests : IDisposable
{
    private readonly Nic _nic = Nic.Started();
    private readonly FrontEnd _front;
    private readonly Fd _channel;

    public LinkByMessageTests()
    {
        _front = _nic.Connect();
        var (ours, theirs) = UnixSocket.Pair();
        _channel = ours;
        _front.Send(Request.SetProtocolFeatures, (ulong)(ProtocolFeatures.BackendReq | ProtocolFeatures.Config));
        using (theirs) _front.Send(Request.SetBackendReqFd, [], 0, theirs.Raw);
    }

    public void Dispose()
    {
        _front.Dispose();
        _channel.Dispose();
        _nic.Dispose();
    }

    [Fact]
    public void Link_that_was_down_for_a_moment_is_seen_down_for_a_second()
    {
        Blink();
        Assert.True(IsTold());
        Assert.False(IsUp());
        Assert.False(IsTold());
        _nic.Pass(LinkByMessage.DownMilliseconds - 1);
        Assert.False(IsUp());
        _nic.Pass(1);
        Assert.True(IsTold());
        Assert.True(IsUp());
        Assert.False(IsTold());
    }

    [Fact]
    public void Guest_that_looks_late_sees_it_all_the_same()
    {
        Blink();
        _nic.Pass(LinkByMessage.DownMilliseconds * 2);
        Assert.True(IsTold());
        Assert.False(IsUp());
        Assert.True(IsTold());
        Assert.True(IsUp());
    }

    [Fact]
    public void Guest_that_never_looks_does_not_hold_the_link_down()
    {
        Blink();
        Assert.True(IsTold());
        _nic.Pass(LinkByMessage.PatienceMilliseconds);
        Assert.True(IsTold());
        Assert.True(IsUp());
    }

    [Fact]
    public void Link_that_goes_down_again_meanwhile_stays_down()
    {
        Blink();
        Assert.False(IsUp());
        _nic.SetLink(LinkState.Down);
        _nic.Pass(LinkByMessage.PatienceMilliseconds);
        Assert.False(IsUp());
        _nic.SetLink(LinkState.Up10G);
        Assert.True(IsUp());
    }

    [Fact]
    public void Next_front_end_finds_the_link_as_it_is()
    {
        Blink();
        _front.Dispose();
        using var next = _nic.Connect();
        Assert.True(IsUp(next));
    }

    private void Blink()
    {
        _nic.Device.SetLink(LinkState.Down);
        _nic.Device.SetLink(LinkState.Up10G);
        _nic.Turn();
    }

    private bool IsTold()
    {
        var told = false;
        while (FrontEnd.TryRead(_channel.Raw) is not null) told = true;
        return told;
    }

    private bool IsUp(FrontEnd? front = null)
    {
        var from = front ?? _front;
        var ask = new byte[14];
        (ask[0], ask[4]) = (6, 2);
        from.Send(Request.GetConfig, ask);
        return from.ReadReply(Request.GetConfig)[12] == 1;
    }
}
