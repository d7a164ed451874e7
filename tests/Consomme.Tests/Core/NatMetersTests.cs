using NicHost.Consomme.Tests.Udp;

namespace NicHost.Consomme.Tests.Core;

/// <summary>What a scraper reads of a NAT.</summary>
public sealed class NatMetersTests : UdpRig
{
    [Fact]
    public void Numbers_follow_what_the_guest_does()
    {
        var guest = Make();
        var before = guest.Meters.Read();
        Assert.Equal((0, 0, 0), (before["consomme.flows udp"], before["consomme.bytes udp tx"], before["consomme.flows.opened tcp guest"]));

        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, Frames.Pattern(100)));
        host.Send(Frames.Pattern(1000), host.Receive(Frames.Pattern(100)));
        guest.Receive();

        var after = guest.Meters.Read();
        Assert.Equal((1, 1), (after["consomme.flows udp"], after["consomme.flows.opened udp guest"]));
        Assert.Equal((100, 1000), (after["consomme.bytes udp tx"], after["consomme.bytes udp rx"]));
        Assert.Equal((1, 1), (after["consomme.datagrams udp tx"], after["consomme.datagrams udp rx"]));
    }

    [Fact]
    public void Instruments_are_as_the_page_for_operators_has_them()
    {
        var names = Make().Meters.Read().Keys.Select(key => key.Split(' ')[0]).Distinct();
        Assert.Equal(
            ["consomme.bytes", "consomme.datagrams", "consomme.dns.answers", "consomme.dns.questions", "consomme.flows", "consomme.flows.closed", "consomme.flows.opened", "consomme.refusals", "consomme.tcp.half_open", "consomme.tcp.retransmits"],
            names);
    }
}
