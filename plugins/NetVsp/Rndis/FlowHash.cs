using System.Buffers.Binary;

namespace NicHost.NetVsp.Rndis;

/// <summary>The hash of a frame under a guest's RSS setting.</summary>
internal static class FlowHash
{
    /// <summary>Bytes of a frame's start that are looked at: Ethernet with a tag, IP without extensions, ports.</summary>
    public const int HeaderBytes = 128;

    private const byte Tcp = 6;
    private const byte Udp = 17;

    /// <summary>Hashes what the setting asks for.</summary>
    /// <param name="head">The frame's first bytes.</param>
    /// <param name="rss">The setting.</param>
    /// <param name="hash">The hash.</param>
    /// <returns>False for frames that carry none of the protocols asked for.</returns>
    public static bool TryCompute(ReadOnlySpan<byte> head, RssTable rss, out uint hash)
    {
        hash = 0;
        if (head.Length < 14) return false;
        var network = 14;
        var type = BinaryPrimitives.ReadUInt16BigEndian(head[12..]);
        if (type == 0x8100 && head.Length >= 18)
        {
            type = BinaryPrimitives.ReadUInt16BigEndian(head[16..]);
            network = 18;
        }
        return type switch
        {
            0x0800 when head.Length >= network + 20 => TryV4(head[network..], rss, out hash),
            0x86dd when head.Length >= network + 40 => TryV6(head[network..], rss, out hash),
            _ => false,
        };
    }

    private static bool TryV4(ReadOnlySpan<byte> ip, RssTable rss, out uint hash)
    {
        var header = (ip[0] & 0xf) * 4;
        var isFragment = (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3fff) != 0;
        var ports = header >= 20 && !isFragment && ip.Length >= header + 4 && Hashes(rss.Types, ip[9], RssHashTypes.TcpIpv4, RssHashTypes.UdpIpv4);
        return Hash(ip.Slice(12, 8), ports ? ip.Slice(header, 4) : [], rss, ports || (rss.Types & RssHashTypes.Ipv4) != 0, out hash);
    }

    private static bool TryV6(ReadOnlySpan<byte> ip, RssTable rss, out uint hash)
    {
        var ports = ip.Length >= 44
            && Hashes(rss.Types, ip[6], RssHashTypes.TcpIpv6 | RssHashTypes.TcpIpv6Ex, RssHashTypes.UdpIpv6 | RssHashTypes.UdpIpv6Ex);
        return Hash(ip.Slice(8, 32), ports ? ip.Slice(40, 4) : [], rss, ports || (rss.Types & (RssHashTypes.Ipv6 | RssHashTypes.Ipv6Ex)) != 0, out hash);
    }

    private static bool Hashes(RssHashTypes types, byte protocol, RssHashTypes tcp, RssHashTypes udp) =>
        (protocol == Tcp && (types & tcp) != 0) || (protocol == Udp && (types & udp) != 0);

    private static bool Hash(ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> ports, RssTable rss, bool wanted, out uint hash)
    {
        hash = 0;
        if (!wanted) return false;
        Span<byte> input = stackalloc byte[Toeplitz.MaxInput];
        addresses.CopyTo(input);
        ports.CopyTo(input[addresses.Length..]);
        hash = rss.Hash.Of(input[..(addresses.Length + ports.Length)]);
        return true;
    }
}
