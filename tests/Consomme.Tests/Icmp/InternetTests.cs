using System.Net;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Icmp;

/// <summary>Pings, traceroutes and path MTU discovery through real sockets, routers and links.</summary>
public sealed class InternetTests
{
    [NamespaceTheory]
    [InlineData("198.51.100.1")]
    [InlineData("fd98::1")]
    public void Ping_of_a_host_beyond_comes_back_with_the_guests_identifier(string address) => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var to = Ip(address);
        foreach (var (id, size) in new[] { (7, 56), (0xffff, 0), (7, to.IsV4 ? 1472 : 1452) })
        {
            var reply = guest.Send(Frames.Echo(Us(to), to, (ushort)id, 3, Frames.Pattern(size))).Receive();
            var at = to.IsV4 ? 34 : 54;
            Assert.Equal(to.IsV4 ? 0 : 129, reply[at]);
            Assert.Equal((id, 3), (Frames.Word(reply, at + 4), Frames.Word(reply, at + 6)));
            Assert.Equal(Frames.Pattern(size), reply[(at + 8)..]);
            Assert.Equal(to, to.IsV4 ? IpAddr.FromV4(reply.AsSpan(26)) : IpAddr.FromV6(reply.AsSpan(22)));
            Assert.Equal(63, reply[to.IsV4 ? 22 : 21]);
            var pseudo = to.IsV4 ? 0 : Frames.Pseudo(to, Us(to), 58, reply.Length - at);
            Assert.Equal(0xffff, TestFrames.Fold(pseudo + TestFrames.NaiveSum(reply.AsSpan(at))));
        }
        Assert.Equal(2, guest.Number("echo.flows"));
    });

    [NamespaceFact]
    public void Ping_in_fragments_goes_out_and_comes_back() => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var message = Frames.EchoMessage(Guest.Address, Ip("198.51.100.1"), 1, 2, Frames.Pattern(4000));
        guest.Send([.. Pieces(message)]);
        guest.WaitUntil(() => guest.Device.Received.Count == 3, "three fragments");

        static IEnumerable<byte[]> Pieces(byte[] message)
        {
            for (var at = 0; at < message.Length; at += 1480)
            {
                var piece = message.AsSpan(at, Math.Min(1480, message.Length - at));
                yield return Frames.Ip(Guest.Address, Ip("198.51.100.1"), 1, piece, id: 5, fragment: (ushort)((at + piece.Length < message.Length ? 0x2000 : 0) | (at / 8)));
            }
        }
    });

    [NamespaceTheory]
    [InlineData("203.0.113.5", false)]
    [InlineData("203.0.113.5", true)]
    [InlineData("fd97::5", false)]
    [InlineData("fd97::5", true)]
    public void Traceroute_sees_the_gateway_and_then_the_router(string address, bool udp) => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var to = Ip(address);
        Assert.Equal(to.IsV4 ? Guest.Gateway : Guest.Gateway6, Hop(1));
        Assert.Equal(Ip(to.IsV4 ? "192.0.2.254" : "fd99::fe"), Hop(2));

        IpAddr Hop(byte ttl)
        {
            var probe = udp ? Frames.Udp(Us(to), 40000, to, (ushort)(33434 + ttl), Frames.Pattern(32), ttl) : Frames.Echo(Us(to), to, 77, ttl, Frames.Pattern(32), ttl);
            var error = guest.Send(probe).Receive();
            var at = to.IsV4 ? 34 : 54;
            Assert.Equal(to.IsV4 ? (11, 0) : (3, 0), (error[at], error[at + 1]));
            var quoted = at + 8 + (to.IsV4 ? 20 : 40);
            if (udp) Assert.Equal((40000, 33434 + ttl), (Frames.Word(error, quoted), Frames.Word(error, quoted + 2)));
            else Assert.Equal((77, (ushort)ttl), (Frames.Word(error, quoted + 4), Frames.Word(error, quoted + 6)));
            return to.IsV4 ? IpAddr.FromV4(error.AsSpan(26)) : IpAddr.FromV6(error.AsSpan(22));
        }
    });

    [NamespaceTheory]
    [InlineData("203.0.113.5", false)]
    [InlineData("203.0.113.5", true)]
    [InlineData("fd97::5", true)]
    public void Packet_too_big_for_a_link_beyond_is_told_with_its_mtu(string address, bool udp) => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var to = Ip(address);
        for (var i = 0; i < 2; i++)
        {
            // First the router says so; then the host's kernel knows, and refuses by itself.
            var big = udp ? Frames.Udp(Us(to), 40000, to, 9, Frames.Pattern(1400)) : Frames.Echo(Us(to), to, 77, 1, Frames.Pattern(1400));
            var error = guest.Send(big).Receive();
            Assert.Equal(to.IsV4 ? (3, 4) : (2, 0), (error[to.IsV4 ? 34 : 54], error[to.IsV4 ? 35 : 55]));
            Assert.Equal(1300, Frames.Word(error, to.IsV4 ? 40 : 60));
            guest.AssertSilent();
        }
    });

    [NamespaceFact]
    public void Network_that_a_router_cannot_reach_is_told() => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var error = guest.Send(Frames.Udp(Guest.Address, 40000, Ip("203.0.114.1"), 9, [1])).Receive();
        Assert.Equal((3, 1), (error[34], error[35]));
        Assert.Equal(Ip("192.0.2.254"), IpAddr.FromV4(error.AsSpan(26)));
    });

    [NamespaceFact]
    public void Ipv6_where_the_host_has_none_is_refused_at_once() => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        var udp = guest.Send(Frames.Udp(Guest.Address6, 40000, Ip("2001:db8::1"), 9, [1])).Receive();
        Assert.Equal((1, 0), (udp[54], udp[55]));
        var ping = guest.Send(Frames.Echo(Guest.Address6, Ip("2001:db8::1"), 1, 1, [])).Receive();
        Assert.Equal((1, 0), (ping[54], ping[55]));
    }, ipv6: false);

    [NamespaceFact]
    public void Host_without_ping_sockets_is_told_once_and_the_gateway_still_answers() => NetWorld.Run(() =>
    {
        using var guest = new Guest();
        for (var i = 0; i < 3; i++)
        {
            var error = guest.Send(Frames.Echo(Guest.Address, Ip("198.51.100.1"), 1, 1, [])).Receive();
            Assert.Equal((3, 13), (error[34], error[35]));
        }
        Assert.Contains("ping_group_range", Assert.Single(guest.Host.Troubles), StringComparison.Ordinal);
        Assert.Equal(3, guest.Number("echo.refusedByHost"));
        Assert.Equal(0, guest.Send(Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, [])).Receive()[34]);
    }, ping: false);

    [NamespaceFact]
    public void Pings_stay_within_their_limit_and_end_when_idle() => NetWorld.Run(() =>
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var guest = new Guest("""{"limits":{"echoFlows":8}}""", time: time);
        for (ushort i = 0; i < 100; i++) guest.Send(Frames.Echo(Guest.Address, Ip("198.51.100.1"), i, 1, []));
        Assert.Equal(8, guest.Number("echo.flows"));
        Assert.Equal(92, guest.Counters.TxDropped(DropReason.FlowLimit));
        time.Advance(TimeSpan.FromSeconds(61));
        guest.Loop.RunUntilIdle();
        Assert.Equal(0, guest.Number("echo.flows"));
    });

    private static IpAddr Ip(string text) => IpAddr.From(IPAddress.Parse(text));

    private static IpAddr Us(IpAddr to) => to.IsV4 ? Guest.Address : Guest.Address6;
}
