using System.Net;
using System.Text;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;
using NicHost.Testing;
using NicHost.Wire;
using VerifyXunit;

namespace NicHost.Consomme.Tests.Dhcp;

public sealed class ConfigurationTests : IDisposable
{
    private const string Options = """{"hostname":"web","dns":{"servers":["127.0.0.1:9"],"domain":"home.test","search":["home.test","example.org"]}}""";
    private static readonly IpAddr Broadcast = IpAddr.FromV4(uint.MaxValue);
    private static readonly byte[] ClientDuid = [0, 3, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56];
    private readonly Guest _guest = new(Options);

    [Fact]
    public Task Dhcp4_exchanges_read_as_agreed()
    {
        var text = new StringBuilder();
        Say("discover", Dhcp4(DhcpV4MessageType.Discover, broadcast: true));
        Say("discover with rapid commit", Dhcp4(DhcpV4MessageType.Discover, options: [(80, [])]));
        Say("request, selecting", Dhcp4(DhcpV4MessageType.Request, options: [(50, [10, 0, 2, 15]), (54, [10, 0, 2, 2]), (61, [1, 2, 3])]));
        Say("request, renewing", Dhcp4(DhcpV4MessageType.Request, from: Guest.Address, ciaddr: Guest.Address.V4));
        Say("request for another address", Dhcp4(DhcpV4MessageType.Request, options: [(50, [192, 168, 1, 9])]));
        Say("inform, wants the mask and search list", Dhcp4(DhcpV4MessageType.Inform, from: Guest.Address, ciaddr: Guest.Address.V4, options: [(55, [1, 119])]));
        Say("small message size", Dhcp4(DhcpV4MessageType.Discover, options: [(57, [1, 0])]));
        return Verifier.Verify(text.ToString());

        void Say(string what, byte[] frame)
        {
            var reply = _guest.Send(frame).Receive();
            Assert.True(TestFrames.HasGoodTransportChecksum(reply));
            text.Append("# ").Append(what).Append('\n').Append(ConfigText.Dhcp4(reply)).Append('\n');
        }
    }

    [Fact]
    public void Dhcp4_messages_that_are_not_for_us_stay_unanswered()
    {
        _guest.Send(Dhcp4(DhcpV4MessageType.Request, options: [(54, [10, 0, 2, 99]), (50, [10, 0, 2, 15])]));
        _guest.Send(Dhcp4(DhcpV4MessageType.Request));
        _guest.Send(Dhcp4(DhcpV4MessageType.Offer));
        _guest.Send(Dhcp4(DhcpV4MessageType.Discover, giaddr: 0x0a000101));
        _guest.Send(Dhcp4(DhcpV4MessageType.Discover, hardware: 0x020000000099));
        _guest.Send(Dhcp4(DhcpV4MessageType.Release, from: Guest.Address, ciaddr: Guest.Address.V4));
        _guest.Send(Dhcp4(DhcpV4MessageType.Decline, options: [(50, [10, 0, 2, 15])]));
        _guest.AssertSilent();
        Assert.Equal((2, 1, 1, 1), (_guest.Counters.TxDropped(DropReason.NotForUs), _guest.Counters.TxDropped(DropReason.Malformed),
            _guest.Counters.TxDropped(DropReason.Unsupported), _guest.Counters.TxDropped(DropReason.Spoofed)));
    }

    [Fact]
    public Task Router_advertisement_reads_as_agreed()
    {
        var text = new StringBuilder();
        foreach (var from in new[] { Guest.LinkLocal, default })
        {
            byte[] solicitation = [133, 0, 0, 0, 0, 0, 0, 0];
            var all = IpAddr.From(IPAddress.Parse("ff02::2"));
            Frames.Complete(solicitation, from, all);
            var reply = _guest.Send(Multicast(Frames.Ip(from, all, 58, solicitation, ttl: 255))).Receive();
            text.Append(ConfigText.RouterAdvertisement(reply));
        }
        return Verifier.Verify(text.ToString());
    }

    [Fact]
    public void Router_advertises_unasked_from_time_to_time()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var guest = new Guest(Options, time: time);
        for (var i = 0; i < 3600; i += 4)
        {
            time.Advance(TimeSpan.FromSeconds(4));
            guest.Loop.RunUntilIdle();
        }
        Assert.InRange(guest.Device.Received.Count, 3 + 5, 3 + 18);
        Assert.All(guest.Device.Received, f => Assert.Equal(134, f.Bytes[54]));
    }

    [Fact]
    public void Names_that_change_are_in_the_next_lease_and_advertised_at_once()
    {
        _guest.Send(Dhcp4(DhcpV4MessageType.Discover)).Receive();
        _guest.Reconfigure("""{"hostname":"db","dns":{"servers":["127.0.0.1:9"],"search":["other.test"]}}""");
        var advertised = ConfigText.RouterAdvertisement(_guest.Receive());
        Assert.Contains(Convert.ToHexString("other"u8), advertised, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString("home"u8), advertised, StringComparison.Ordinal);
        var lease = ConfigText.Dhcp4(_guest.Send(Dhcp4(DhcpV4MessageType.Request, from: Guest.Address, ciaddr: Guest.Address.V4)).Receive());
        Assert.Contains("  12 db\n  15 other.test\n", lease, StringComparison.Ordinal);
        // What stays is not told again.
        _guest.Reconfigure("""{"hostname":"dc","dns":{"servers":["127.0.0.1:9"],"search":["other.test"]}}""").AssertSilent();
    }

    [Fact]
    public void Neighbors_that_are_ours_answer_and_others_do_not()
    {
        var gateway = IpAddr.From(IPAddress.Parse("fe80::5055:aff:fe00:202"));
        foreach (var target in new[] { Guest.Gateway6, Guest.Dns6, gateway })
        {
            var reply = _guest.Send(Solicit(Guest.Address6, target)).Receive();
            Assert.Equal(136, reply[54]);
            Assert.Equal(target, IpAddr.FromV6(reply.AsSpan(62)));
            Assert.Equal(Frames.GatewayMac, new MacAddress(reply.AsSpan(80)));
            Assert.Equal(255, reply[21]);
            Assert.Equal(target == Guest.Dns6 ? 0x60 : 0xe0, reply[58]);
        }
        _guest.Send(Solicit(Guest.Address6, new IpAddr(Guest.Gateway6.High, 0x99)));
        _guest.AssertSilent();
    }

    [Fact]
    public void Duplicate_detection_defends_our_addresses_and_learns_the_guests()
    {
        var reply = _guest.Send(Solicit(default, Guest.Gateway6)).Receive();
        Assert.Equal(IpAddr.From(IPAddress.Parse("ff02::1")), IpAddr.FromV6(reply.AsSpan(38)));
        var own = IpAddr.From(IPAddress.Parse("fd00:10:0:2:5054:ff:fe12:3456"));
        _guest.Send(Solicit(default, own)).AssertSilent();
        Assert.Contains(_guest.Inspect().Children.Single(c => c.Name == "ndp").Children, c => (c.Value as string) == own.ToString());
    }

    [Fact]
    public void Neighbor_messages_from_beyond_the_link_or_of_a_rogue_router_are_dropped()
    {
        _guest.Send(Solicit(Guest.Address6, Guest.Gateway6, ttl: 254));
        byte[] advertisement = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        Frames.Complete(advertisement, Guest.LinkLocal, Guest.Gateway6);
        _guest.Send(Frames.Ip(Guest.LinkLocal, Guest.Gateway6, 58, advertisement, ttl: 255));
        _guest.AssertSilent();
        Assert.Equal((1, 1), (_guest.Counters.TxDropped(DropReason.Malformed), _guest.Counters.TxDropped(DropReason.Forbidden)));
    }

    [Fact]
    public Task Dhcp6_exchanges_read_as_agreed()
    {
        var text = new StringBuilder();
        byte[] server = [0, 3, 0, 1, 0x52, 0x55, 10, 0, 2, 2];
        byte[] held = [.. Address(Guest.Address6)], other = [.. Address(new IpAddr(0x2001_0db8_0000_0000, 9))];
        Say("solicit", Dhcp6(DhcpV6MessageType.Solicit, (3, Association(1)), (6, [0, 23, 0, 24])));
        Say("solicit with rapid commit", Dhcp6(DhcpV6MessageType.Solicit, (14, []), (3, Association(1))));
        Say("solicit for two associations and a prefix", Dhcp6(DhcpV6MessageType.Solicit, (3, Association(1)), (3, Association(2)), (25, Association(3))));
        Say("request", Dhcp6(DhcpV6MessageType.Request, (2, server), (3, Association(1, held))));
        Say("renew, with an address of another life", Dhcp6(DhcpV6MessageType.Renew, (2, server), (3, Association(1, [.. held, .. other]))));
        Say("rebind", Dhcp6(DhcpV6MessageType.Rebind, (3, Association(1, held))));
        Say("confirm", Dhcp6(DhcpV6MessageType.Confirm, (3, Association(1, held))));
        Say("confirm on another link", Dhcp6(DhcpV6MessageType.Confirm, (3, Association(1, other))));
        Say("release", Dhcp6(DhcpV6MessageType.Release, (2, server), (3, Association(1, held))));
        Say("information request", Dhcp6(DhcpV6MessageType.InformationRequest));
        return Verifier.Verify(text.ToString());

        void Say(string what, byte[] frame)
        {
            var reply = _guest.Send(frame).Receive();
            Assert.True(TestFrames.HasGoodTransportChecksum(reply));
            text.Append("# ").Append(what).Append('\n').Append(ConfigText.Dhcp6(reply)).Append('\n');
        }
    }

    [Fact]
    public void Dhcp6_messages_that_name_the_wrong_server_or_none_stay_unanswered()
    {
        _guest.Send(Dhcp6(DhcpV6MessageType.Request, (2, [1, 2, 3]), (3, Association(1))));
        _guest.Send(Dhcp6(DhcpV6MessageType.Request, (3, Association(1))));
        _guest.Send(Dhcp6(DhcpV6MessageType.Solicit, (2, [1, 2, 3])));
        _guest.Send(Dhcp6(DhcpV6MessageType.Confirm, (3, Association(1))));
        _guest.Send(Dhcp6(DhcpV6MessageType.Reply));
        _guest.AssertSilent();
        Assert.Equal(5, _guest.Counters.TxDropped(DropReason.NotForUs));
    }

    public void Dispose() => _guest.Dispose();

    private static byte[] Dhcp4(
        DhcpV4MessageType type, IpAddr? from = null, uint ciaddr = 0, uint giaddr = 0, bool broadcast = false, ulong? hardware = null,
        params (byte Code, byte[] Data)[] options)
    {
        var message = new byte[576];
        var writer = new DhcpV4Writer(message, DhcpV4View.BootRequest, 0xcafe0001, hardware ?? Guest.Mac.Value, broadcast, ciaddr, relayAddress: giaddr);
        writer.Add(type);
        foreach (var (code, data) in options) writer.Add(code, data);
        var length = writer.Finish();
        return Frames.Udp(from ?? IpAddr.FromV4(0), 68, Broadcast, 67, message.AsSpan(0, length));
    }

    private static byte[] Dhcp6(DhcpV6MessageType type, params (ushort Code, byte[] Data)[] options)
    {
        var message = new byte[1000];
        var writer = new DhcpV6Writer(message, type, 0xabcdef);
        writer.Add(DhcpV6Option.ClientId, ClientDuid);
        foreach (var (code, data) in options) writer.Add(code, data);
        var to = IpAddr.From(IPAddress.Parse("ff02::1:2"));
        return Multicast(Frames.Udp(Guest.LinkLocal, 546, to, 547, message.AsSpan(0, writer.Length)));
    }

    private static byte[] Association(byte id, params byte[] options) => [0, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 0, .. options];

    private static IEnumerable<byte> Address(IpAddr address)
    {
        var bytes = new byte[28];
        bytes[1] = 5;
        bytes[3] = 24;
        address.WriteV6(bytes.AsSpan(4));
        return bytes;
    }

    private static byte[] Solicit(IpAddr from, IpAddr target, byte ttl = 255)
    {
        var message = new byte[24];
        message[0] = 135;
        target.WriteV6(message.AsSpan(8));
        var group = new IpAddr(0xff02UL << 48, 0x1_ff00_0000 | (target.Low & 0xff_ffff));
        Frames.Complete(message, from, group);
        return Multicast(Frames.Ip(from, group, 58, message, ttl));
    }

    private static byte[] Multicast(byte[] frame)
    {
        frame[0] = frame[1] = 0x33;
        frame.AsSpan(50, 4).CopyTo(frame.AsSpan(2));
        return frame;
    }
}
