using System.Buffers.Binary;
using NicHost.Wire;

namespace NicHost.Fuzz.Targets;

/// <summary>Valid messages for each parser, made by the library's own writers or by hand.</summary>
internal static class WireSeeds
{
    private const ulong GuestMac = 0x525400123456;

    public static IEnumerable<(string Name, byte[] Bytes)> For(string target) => target switch
    {
        "ethernet" => [("untagged", GuestFrames.Arp()), ("tagged", Tagged())],
        "arp" => [("request", GuestFrames.Arp()[14..])],
        "ipv4" => [("tcp", GuestFrames.Tcp4(0x02)[14..]), ("udp", GuestFrames.Udp4(53, "x"u8)[14..]), ("options", WithOptions())],
        "ipv6" => [("udp", GuestFrames.Udp6(547, "x"u8)[14..]), ("extensions", Extensions())],
        "tcp" => [("syn", GuestFrames.Tcp4(0x02)[34..]), ("data", GuestFrames.Tcp4(0x18, "hello"u8)[34..])],
        "tcpoptions" => [("syn", [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]), ("sack", [1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 20, 0, 0, 0, 30])],
        "udp" => [("dns", GuestFrames.Udp4(53, GuestFrames.DnsQuery("example.org", 1))[34..])],
        "icmp" => [("echo", GuestFrames.Echo4()[34..]), ("unreachable", [3, 4, 0, 0, 0, 0, 5, 0xdc, .. GuestFrames.Udp4(53, "x"u8)[14..]])],
        "ndp" => [("solicitation", GuestFrames.NeighborSolicitation()[54..]), ("advertisement", RouterAdvertisement())],
        "dhcp4" => [("discover", GuestFrames.DhcpDiscover()[42..]), ("request", GuestFrames.DhcpRequest()[42..]), ("overload", Overload())],
        "dhcp6" => [("solicit", GuestFrames.Dhcp6Solicit()[62..]), ("information", [11, 1, 2, 3, 0, 6, 0, 2, 0, 23])],
        "dns" => [("query", GuestFrames.DnsQuery("www.example.org", 28)), ("answer", Answer()), ("edns", Edns())],
        _ => [],
    };

    private static byte[] Tagged() => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x81, 0, 0x20, 5, 8, 6, .. GuestFrames.Arp()[14..]];

    private static byte[] WithOptions()
    {
        byte[] packet = [0x46, .. GuestFrames.Udp4(7, "abc"u8)[15..34], 0x94, 4, 0, 0, .. GuestFrames.Udp4(7, "abc"u8)[34..]];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        Ipv4View.WriteChecksum(packet.AsSpan(0, 24));
        return packet;
    }

    private static byte[] Extensions()
    {
        var udp = GuestFrames.Udp6(7, "abc"u8)[14..];
        byte[] packet = [.. udp[..6], 0, 64, .. udp[8..40], 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 7, .. udp[40..]];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(packet.Length - 40));
        return packet;
    }

    private static byte[] RouterAdvertisement() =>
    [
        134, 0, 0, 0, 64, 0xc0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0,
        3, 4, 64, 0xc0, 0, 1, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0xfd, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
        5, 1, 0, 0, 0, 0, 5, 0xdc, 1, 1, 0x52, 0x55, 10, 0, 2, 2,
        25, 3, 0, 0, 0, 0, 7, 8, 0xfd, 0, 0, 0x10, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3,
    ];

    private static byte[] Overload()
    {
        var message = GuestFrames.DhcpDiscover()[42..];
        var overloaded = message.AsSpan(0, 240).ToArray().Concat(new byte[] { 52, 1, 3, 53, 1, 1, 255 }).ToArray();
        new byte[] { 12, 2, (byte)'h', (byte)'i', 255 }.CopyTo(overloaded, 44);
        new byte[] { 50, 4, 10, 0, 2, 15, 255 }.CopyTo(overloaded, 108);
        return overloaded;
    }

    private static byte[] Answer()
    {
        var query = GuestFrames.DnsQuery("www.example.org", 1);
        query[2] |= 0x80;
        query[7] = 2;
        return [.. query, 0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 6, 3, (byte)'f', (byte)'t', (byte)'p', 0xc0, 16, 0xc0, 0x2d, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1];
    }

    private static byte[] Edns()
    {
        var query = GuestFrames.DnsQuery("example.org", 1);
        query[11] = 1;
        return [.. query, 0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0];
    }
}
