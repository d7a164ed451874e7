using System.Buffers.Binary;
using System.Text;
using NicHost.Wire;

namespace NicHost.Fuzz.Targets;

/// <summary>Frames of a guest at 10.0.2.15, written with the wire library. Destinations are the gateway's services and loopback.</summary>
internal static class GuestFrames
{
    private const ulong Guest = 0x525400123456;
    private const ulong Gateway = 0x52550a000202;
    private const uint GuestV4 = 0x0a00020f;

    private static readonly UInt128 s_guestV6 = new(0xfd00_0010_0000_0002, 0xf);
    private static readonly UInt128 s_gatewayV6 = new(0xfd00_0010_0000_0002, 2);
    private static readonly UInt128 s_linkLocal = new(0xfe80_0000_0000_0000, 0x5054_00ff_fe12_3456);

    public const uint GatewayV4 = 0x0a000202;
    public const uint DnsV4 = 0x0a000203;

    public static byte[] Arp()
    {
        var frame = new byte[42];
        EthernetView.Write(frame, EthernetView.Broadcast, Guest, EtherType.Arp);
        ArpView.Write(frame.AsSpan(14), ArpView.Request, Guest, GuestV4, 0, GatewayV4);
        return frame;
    }

    public static byte[] Ip4(byte protocol, ReadOnlySpan<byte> payload, uint to = GatewayV4, uint from = GuestV4)
    {
        var frame = new byte[34 + payload.Length];
        EthernetView.Write(frame, to == uint.MaxValue ? EthernetView.Broadcast : Gateway, Guest, EtherType.Ipv4);
        Ipv4View.Write(frame.AsSpan(14), payload.Length, protocol, from, to);
        payload.CopyTo(frame.AsSpan(34));
        return frame;
    }

    public static byte[] Ip6(byte protocol, ReadOnlySpan<byte> payload, UInt128 to, UInt128 from, byte hopLimit = 64)
    {
        var frame = new byte[54 + payload.Length];
        EthernetView.Write(frame, Gateway, Guest, EtherType.Ipv6);
        Ipv6View.Write(frame.AsSpan(14), payload.Length, protocol, from, to, hopLimit);
        payload.CopyTo(frame.AsSpan(54));
        return frame;
    }

    public static byte[] Udp4(ushort port, ReadOnlySpan<byte> payload, uint to = GatewayV4, ushort from = 40000, uint source = GuestV4)
    {
        var datagram = new byte[8 + payload.Length];
        UdpView.Write(datagram, from, port, payload.Length);
        payload.CopyTo(datagram.AsSpan(8));
        UdpView.WriteChecksum(datagram, InternetChecksum.PseudoHeader(source, to, IpProtocol.Udp, datagram.Length));
        return Ip4(IpProtocol.Udp, datagram, to, source);
    }

    public static byte[] Udp6(ushort port, ReadOnlySpan<byte> payload, ushort from = 40000, bool group = false)
    {
        var source = group ? s_linkLocal : s_guestV6;
        var to = group ? new UInt128(0xff02_0000_0000_0000, 0x0001_0002) : s_gatewayV6;
        var datagram = new byte[8 + payload.Length];
        UdpView.Write(datagram, from, port, payload.Length);
        payload.CopyTo(datagram.AsSpan(8));
        UdpView.WriteChecksum(datagram, InternetChecksum.PseudoHeader(source, to, IpProtocol.Udp, datagram.Length));
        return Ip6(IpProtocol.Udp, datagram, to, source);
    }

    public static byte[] Tcp4(byte flags, ReadOnlySpan<byte> payload = default, uint sequence = 1000, uint acknowledgement = 0, ushort port = 7, ushort from = 40000, uint to = GatewayV4)
    {
        var segment = new byte[60 + payload.Length];
        var options = new TcpOptionWriter(segment.AsSpan(20));
        if ((flags & 2) != 0)
        {
            options.Mss(1460);
            options.WindowScale(7);
            options.SackPermitted();
        }
        var header = TcpView.Write(segment, from, port, sequence, acknowledgement, (TcpFlags)flags, 65000, options.Length);
        payload.CopyTo(segment.AsSpan(header));
        segment = segment[..(header + payload.Length)];
        var pseudo = InternetChecksum.PseudoHeader(GuestV4, to, IpProtocol.Tcp, segment.Length);
        TcpView.SetChecksum(segment, InternetChecksum.Finish(InternetChecksum.Add(pseudo, segment)));
        return Ip4(IpProtocol.Tcp, segment, to);
    }

    public static byte[] Echo4(uint to = GatewayV4)
    {
        var message = new byte[64];
        IcmpView.Write(message, 8, 0, IcmpView.EchoRest(7, 1));
        IcmpView.WriteChecksum(message, 0);
        return Ip4(IpProtocol.Icmp, message, to);
    }

    public static byte[] NeighborSolicitation()
    {
        var message = new byte[32];
        message[0] = 135;
        BinaryPrimitives.WriteUInt128BigEndian(message.AsSpan(8), s_gatewayV6);
        message[24] = 1;
        message[25] = 1;
        EthernetView.WriteMac(message.AsSpan(26), Guest);
        return Icmp6(message, new UInt128(0xff02_0000_0000_0000, 0x0000_0001_ff00_0002), s_linkLocal);
    }

    public static byte[] RouterSolicitation() => Icmp6([133, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56], new UInt128(0xff02_0000_0000_0000, 2), s_linkLocal);

    public static byte[] Echo6() => Icmp6([128, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3, 4], s_gatewayV6, s_guestV6);

    public static byte[] DhcpDiscover() => Dhcp([53, 1, 1, 55, 4, 1, 3, 6, 26, 255]);

    public static byte[] DhcpRequest() => Dhcp([53, 1, 3, 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2, 12, 2, (byte)'v', (byte)'m', 255]);

    public static byte[] Dhcp6Solicit() =>
        Udp6(547, [1, 1, 2, 3, 0, 1, 0, 10, 0, 3, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0, 6, 0, 2, 0, 23, 0, 8, 0, 2, 0, 0, 0, 3, 0, 12, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0], 546, group: true);

    public static byte[] DnsQuery(string name, ushort type)
    {
        var bytes = new List<byte> { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
        foreach (var label in name.Split('.'))
        {
            bytes.Add((byte)label.Length);
            bytes.AddRange(Encoding.ASCII.GetBytes(label));
        }
        bytes.AddRange([0, (byte)(type >> 8), (byte)type, 0, 1]);
        return [.. bytes];
    }

    private static byte[] Icmp6(byte[] message, UInt128 to, UInt128 from)
    {
        IcmpView.WriteChecksum(message, InternetChecksum.PseudoHeader(from, to, IpProtocol.Icmpv6, message.Length));
        return Ip6(IpProtocol.Icmpv6, message, to, from, 255);
    }

    private static byte[] Dhcp(byte[] options)
    {
        var message = new byte[240 + options.Length];
        message[0] = 1;
        message[1] = 1;
        message[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(4), 0x3903f326);
        EthernetView.WriteMac(message.AsSpan(28), Guest);
        new byte[] { 0x63, 0x82, 0x53, 0x63 }.CopyTo(message, 236);
        options.CopyTo(message, 240);
        return Udp4(67, message, uint.MaxValue, 68, 0);
    }
}
