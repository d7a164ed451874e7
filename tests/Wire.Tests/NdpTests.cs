using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class NdpTests
{
    private static readonly UInt128 s_router = new(0xFE80_0000_0000_0000, 1);
    private static readonly UInt128 s_allNodes = new(0xFF02_0000_0000_0000, 1);
    private static readonly UInt128 s_prefix = new(0xFD00_1234_5678_0000, 0);
    private static readonly UInt128 s_dns = new(0xFD00_1234_5678_0000, 3);

    [Fact]
    public void Router_advertisement_reads_back_whole()
    {
        byte[] message = new byte[512];
        NdpWriter writer = NdpWriter.RouterAdvertisement(message, 64, RouterFlags.OtherConfiguration, 1800, 30_000, 1_000);
        writer.LinkAddress(NdpOption.SourceLinkAddress, 0x020000000001);
        writer.Mtu(65_520);
        writer.Prefix(new NdpPrefix(s_prefix, 64, PrefixFlags.OnLink | PrefixFlags.Autonomous, 86_400, 14_400));
        writer.Rdnss(3600, [s_dns, s_router]);
        writer.Dnssl(3600, ["example.org", "bad..name", "corp.example."]);
        int length = writer.Finish(s_router, s_allNodes);
        Assert.Equal(0, length % 8);

        byte[] whole = message[..length];
        Assert.True(InternetChecksum.IsValid(InternetChecksum.Add(InternetChecksum.PseudoHeader(s_router, s_allNodes, IpProtocol.Icmpv6, length), whole)));
        Assert.True(NdpView.TryParse(whole, out NdpView view));
        Assert.Equal((Icmpv6Type.RouterAdvertisement, 64, RouterFlags.OtherConfiguration, 1800), (view.Type, view.CurrentHopLimit, view.RouterFlags, view.RouterLifetime));
        Assert.Equal((30_000u, 1_000u), (view.ReachableTime, view.RetransmitTime));
        Assert.True(view.TryGetLinkAddress(NdpOption.SourceLinkAddress, out ulong mac));
        Assert.Equal(0x020000000001UL, mac);
        Assert.False(view.TryGetLinkAddress(NdpOption.TargetLinkAddress, out _));

        List<byte> seen = [];
        NdpOptionReader options = view.Options;
        while (options.MoveNext())
        {
            seen.Add(options.Type);
            if (options.TryReadPrefix(out NdpPrefix prefix)) Assert.Equal(new NdpPrefix(s_prefix, 64, PrefixFlags.OnLink | PrefixFlags.Autonomous, 86_400, 14_400), prefix);
            if (options.TryReadMtu(out uint mtu)) Assert.Equal(65_520u, mtu);
            if (options.Type == NdpOption.Dnssl) AssertNames(options.Data[6..], "example.org", "corp.example");
            if (options.Type == NdpOption.Rdnss) Assert.Equal(38, options.Data.Length);
        }

        Assert.Equal([NdpOption.SourceLinkAddress, NdpOption.Mtu, NdpOption.PrefixInformation, NdpOption.Rdnss, NdpOption.Dnssl], seen);
    }

    [Fact]
    public void Neighbour_messages_read_back()
    {
        byte[] message = new byte[64];
        NdpWriter writer = NdpWriter.NeighborAdvertisement(message, s_router, NeighborFlags.Router | NeighborFlags.Solicited);
        writer.LinkAddress(NdpOption.TargetLinkAddress, 0x020000000001);
        Assert.True(NdpView.TryParse(message.AsSpan(0, writer.Finish(s_router, s_allNodes)), out NdpView view));
        Assert.Equal((s_router, NeighborFlags.Router | NeighborFlags.Solicited), (view.Target, view.NeighborFlags));

        writer = NdpWriter.NeighborSolicitation(message, s_dns);
        Assert.True(NdpView.TryParse(message.AsSpan(0, writer.Length), out view));
        Assert.Equal((s_dns, NeighborFlags.None, RouterFlags.None), (view.Target, view.NeighborFlags, view.RouterFlags));

        writer = NdpWriter.RouterSolicitation(message);
        Assert.True(NdpView.TryParse(message.AsSpan(0, writer.Length), out view));
        Assert.Equal((Icmpv6Type.RouterSolicitation, UInt128.Zero), (view.Type, view.Target));
    }

    [Fact]
    public void Message_with_a_code_or_a_broken_option_is_refused()
    {
        byte[] message = new byte[32];
        NdpWriter writer = NdpWriter.NeighborSolicitation(message, s_dns);
        writer.LinkAddress(NdpOption.SourceLinkAddress, 1);
        Assert.True(NdpView.TryParse(message, out _));
        message[25] = 0;
        Assert.False(NdpView.TryParse(message, out _)); // RFC 4861 section 4.6: length 0
        message[25] = 2;
        Assert.False(NdpView.TryParse(message, out _));
        message[25] = 1;
        message[1] = 1;
        Assert.False(NdpView.TryParse(message, out _));
        message[1] = 0;
        Assert.False(NdpView.TryParse(message.AsSpan(0, 31), out _));
        message[0] = Icmpv6Type.EchoRequest;
        Assert.False(NdpView.TryParse(message, out _));
    }

    [Fact]
    public void Any_bytes_are_refused_or_readable() =>
        Gen.Select(Gen.Byte[133, 136], Gen.Byte.Array[0, 100]).Sample((type, bytes) =>
        {
            if (bytes.Length > 1) (bytes[0], bytes[1]) = (type, 0);
            Touch.All(bytes);
        });

    private static void AssertNames(ReadOnlySpan<byte> data, params string[] expected)
    {
        int offset = 0;
        byte[] name = new byte[DnsName.MaxWireLength];
        foreach (string one in expected)
        {
            Assert.True(DnsName.TryRead(data, ref offset, name, out int length));
            Assert.Equal(one, DnsName.ToText(name.AsSpan(0, length)));
        }

        Assert.Equal(-1, data[offset..].IndexOfAnyExcept((byte)0));
    }
}
