using System.Net;
using NicHost.NetVsp.Rndis;

namespace NicHost.NetVsp.Tests.Rndis;

/// <summary>The verification suite that Microsoft publishes for its hash, and frames around it.</summary>
public sealed class ToeplitzTests
{
    private static readonly byte[] s_key = Convert.FromHexString("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa");

    [Theory]
    [InlineData("161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2u, 0x51ccc178u)]
    [InlineData("65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262au, 0xc626b0eau)]
    [InlineData("12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5deu, 0x5c2b394au)]
    [InlineData("3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5u, 0x40207d3du)]
    [InlineData("ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461cu, 0xdde51bbfu)]
    public void Hash_of_a_published_flow_is_the_published_one(string destination, int destinationPort, string source, int sourcePort, uint addresses, uint ports)
    {
        var (from, to) = (IPAddress.Parse(source).GetAddressBytes(), IPAddress.Parse(destination).GetAddressBytes());
        var frame = Frame(from, to, (ushort)sourcePort, (ushort)destinationPort);
        Assert.True(FlowHash.TryCompute(frame, Table(RssHashTypes.Ipv4 | RssHashTypes.Ipv6), out var plain));
        Assert.Equal(addresses, plain);
        Assert.True(FlowHash.TryCompute(frame, Table(RssHashTypes.TcpIpv4 | RssHashTypes.TcpIpv6), out var tcp));
        Assert.Equal(ports, tcp);
    }

    [Fact]
    public void Frames_that_nobody_asked_for_have_no_hash()
    {
        var v4 = Frame([10, 0, 0, 1], [10, 0, 0, 2], 1, 2);
        Assert.False(FlowHash.TryCompute(v4, Table(RssHashTypes.Ipv6 | RssHashTypes.TcpIpv6), out _));
        // A fragment has no ports to hash.
        v4[14 + 6] = 0x20;
        Assert.False(FlowHash.TryCompute(v4, Table(RssHashTypes.TcpIpv4), out _));
        for (var length = 0; length < v4.Length; length++) FlowHash.TryCompute(v4.AsSpan(0, length), Table(RssHashTypes.TcpIpv4 | RssHashTypes.TcpIpv6), out _);
    }

    private static RssTable Table(RssHashTypes types) => new(s_key, types, [0]);

    private static byte[] Frame(byte[] from, byte[] to, ushort sourcePort, ushort destinationPort)
    {
        var isV6 = from.Length == 16;
        byte[] ip = isV6
            ? [0x60, 0, 0, 0, 0, 20, 6, 64, .. from, .. to]
            : [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, .. from, .. to];
        return
        [
            .. new byte[12], isV6 ? (byte)0x86 : (byte)0x08, isV6 ? (byte)0xdd : (byte)0, .. ip,
            (byte)(sourcePort >> 8), (byte)sourcePort, (byte)(destinationPort >> 8), (byte)destinationPort, .. new byte[16],
        ];
    }
}
