using System.Buffers.Binary;
using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class HeaderTests
{
    private static byte[] Ipv4Packet(int payload, Action<byte[]>? change = null)
    {
        byte[] packet = new byte[20 + payload];
        Ipv4View.Write(packet, payload, IpProtocol.Udp, 1, 2);
        change?.Invoke(packet);
        return packet;
    }

    [Fact]
    public void Ethernet_needs_its_whole_header_with_tag()
    {
        byte[] frame = new byte[18];
        EthernetView.WriteTagged(frame, 1, 2, 3, EtherType.Ipv4);
        Assert.True(EthernetView.TryParse(frame, out EthernetView view));
        Assert.Equal(0, view.Payload.Length);
        Assert.False(EthernetView.TryParse(frame.AsSpan(0, 17), out _));
        Assert.False(EthernetView.TryParse(new byte[13], out _));
        Assert.True(EthernetView.TryParse(new byte[14], out view));
        Assert.Equal((false, 0, 14), (view.HasVlan, view.VlanId, view.HeaderLength));
    }

    [Fact]
    public void Ipv4_with_wrong_lengths_is_refused()
    {
        Assert.True(Ipv4View.TryParse(Ipv4Packet(10), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10).AsSpan(0, 29), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10).AsSpan(0, 19), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10, p => p[0] = 0x65), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10, p => p[0] = 0x44), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10, p => p[0] = 0x4F), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10, p => p[3] = 19), out _));
        Assert.False(Ipv4View.TryParse(Ipv4Packet(10, p => p[3] = 31), out _));
    }

    [Fact]
    public void Ipv4_padding_and_options_are_left_out()
    {
        byte[] packet = new byte[60];
        Ipv4View.Write(packet, 10, IpProtocol.Udp, 1, 2);
        Assert.True(Ipv4View.TryParse(packet, out Ipv4View view));
        Assert.Equal(10, view.Payload.Length);
        packet[0] = 0x46;
        Ipv4View.WriteChecksum(packet);
        Assert.True(Ipv4View.TryParse(packet, out view));
        Assert.Equal((24, 6, 4, 6), (view.HeaderLength, view.PayloadLength, view.Options.Length, view.Payload.Length));
        Assert.True(view.IsChecksumValid);
    }

    [Fact]
    public void Header_alone_is_enough_when_the_rest_is_elsewhere()
    {
        byte[] packet = Ipv4Packet(4000);
        Assert.True(Ipv4View.TryParse(packet.AsSpan(0, 20), 4020, out Ipv4View view));
        Assert.Equal((4000, 0), (view.PayloadLength, view.Payload.Length));
        Assert.False(Ipv4View.TryParse(packet.AsSpan(0, 20), 4019, out _));

        byte[] six = new byte[48];
        Ipv6View.Write(six, 4000, IpProtocol.Udp, 1, 2);
        UdpView.Write(six.AsSpan(40), 1, 2, 3992);
        Assert.True(Ipv6View.TryParse(six, 4040, out Ipv6View view6));
        Assert.True(view6.TryFindTransport(out Ipv6Transport transport));
        Assert.True(UdpView.TryParse(view6.Packet[transport.Offset..], view6.TotalLength - transport.Offset, out UdpView udp));
        Assert.Equal(3992, udp.PayloadLength);
        Assert.False(UdpView.TryParse(view6.Packet[transport.Offset..], 3999, out _));
    }

    [Fact]
    public void Changed_length_and_fragment_fields_keep_the_checksum_right()
    {
        byte[] packet = Ipv4Packet(100);
        Ipv4View.SetTotalLength(packet, 60);
        Assert.True(Ipv4View.TryParse(packet, out Ipv4View view));
        Assert.True(view.IsChecksumValid);
        Assert.True(view.DontFragment && !view.IsFragment);
        Ipv4View.SetFragment(packet, 77, 1480, more: true);
        Assert.True(Ipv4View.TryParse(packet, out view));
        Assert.True(view.IsChecksumValid && view.IsFragment && view.MoreFragments);
        Assert.Equal((77, 1480), (view.Identification, view.FragmentOffset));
    }

    [Fact]
    public void Ipv6_extension_headers_are_walked()
    {
        byte[] packet = new byte[40 + 8 + 16 + 8 + 12 + 8];
        Ipv6View.Write(packet, packet.Length - 40, IpProtocol.HopByHop, 1, 2);
        packet[40] = IpProtocol.Routing;
        packet[48] = IpProtocol.Fragment;
        packet[49] = 1;
        packet[64] = IpProtocol.Authentication;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(68), 0xAABBCCDD);
        packet[67] = 1; // offset 0, more
        packet[72] = IpProtocol.Udp;
        packet[73] = 1; // 12 bytes
        Assert.True(Ipv6View.TryParse(packet, out Ipv6View view));
        Assert.True(view.TryFindTransport(out Ipv6Transport transport));
        Assert.Equal((IpProtocol.Udp, 84), (transport.Protocol, transport.Offset));
        Assert.True(transport.HasFragmentHeader && transport.IsFragment && transport.MoreFragments);
        Assert.Equal(0xAABBCCDD, transport.Identification);

        // A later fragment holds the middle of something: the walk ends there.
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(66), 1480);
        Assert.True(view.TryFindTransport(out transport));
        Assert.Equal((IpProtocol.Authentication, 72, 1480), (transport.Protocol, transport.Offset, transport.FragmentOffset));
    }

    [Fact]
    public void Ipv6_walk_is_bounded_and_stays_inside()
    {
        byte[] packet = new byte[40 + (9 * 8)];
        Ipv6View.Write(packet, packet.Length - 40, IpProtocol.DestinationOptions, 1, 2);
        for (int i = 0; i < 9; i++) packet[40 + (i * 8)] = IpProtocol.DestinationOptions;
        Assert.True(Ipv6View.TryParse(packet, out Ipv6View view));
        Assert.False(view.TryFindTransport(out _));
        packet[40 + (7 * 8)] = IpProtocol.None;
        Assert.True(view.TryFindTransport(out Ipv6Transport transport));
        Assert.Equal(IpProtocol.None, transport.Protocol);
        packet[41] = 200;
        Assert.False(view.TryFindTransport(out _));
    }

    [Fact]
    public void Tcp_data_offset_must_fit()
    {
        byte[] segment = new byte[40];
        TcpView.Write(segment, 1, 2, 3, 4, TcpFlags.Syn, 5, 20);
        Assert.True(TcpView.TryParse(segment, out TcpView view));
        Assert.Equal((40, 20, 0), (view.HeaderLength, view.Options.Length, view.Payload.Length));
        Assert.False(TcpView.TryParse(segment.AsSpan(0, 39), out _));
        segment[12] = 0x40;
        Assert.False(TcpView.TryParse(segment, out _));
        Assert.False(TcpView.TryParse(new byte[19], out _));
    }

    [Fact]
    public void Tcp_options_read_back()
    {
        byte[] bytes = new byte[40];
        TcpOptionWriter writer = new(bytes);
        writer.Timestamps(1, 2);
        writer.Sack([new SackBlock(10, 20), new SackBlock(0xFFFFFFF0, 5), new SackBlock(7, 8), new SackBlock(9, 9)]);
        Assert.Equal(40, writer.Length); // three blocks fit beside timestamps
        TcpOptions options = TcpOptions.Parse(bytes.AsSpan(0, writer.Length));
        Assert.True(options.HasTimestamps);
        Assert.Equal((1u, 2u, 3), (options.TimestampValue, options.TimestampEcho, options.SackCount));
        Assert.Equal(new SackBlock(0xFFFFFFF0, 5), options.Sacks[1]);
        Assert.Equal((0, -1, false), (options.Mss, options.WindowScale, options.SackPermitted));
    }

    [Fact]
    public void Tcp_options_that_lie_end_the_reading()
    {
        Assert.Equal(1460, TcpOptions.Parse([1, 1, 2, 4, 5, 180, 3, 0, 9]).Mss);
        Assert.Equal(-1, TcpOptions.Parse([2, 4, 5, 180, 3, 0, 9]).WindowScale);
        Assert.Equal(0, TcpOptions.Parse([2, 4, 5]).Mss);
        Assert.Equal(0, TcpOptions.Parse([0, 2, 4, 5, 180]).Mss);
        Assert.Equal(14, TcpOptions.Parse([3, 3, 255]).WindowScale);
        Assert.Equal(0, TcpOptions.Parse([2, 3, 5, 1]).Mss);
    }

    [Fact]
    public void Icmp_echo_reads_back_and_is_valid()
    {
        byte[] message = new byte[20];
        IcmpView.Write(message, IcmpType.Echo, 0, IcmpView.EchoRest(0x1234, 7));
        message[19] = 9;
        IcmpView.WriteChecksum(message, 0);
        Assert.True(IcmpView.TryParse(message, out IcmpView view));
        Assert.True(view.IsChecksumValid(0));
        Assert.Equal((IcmpType.Echo, 0x1234, 7, 12), (view.Type, view.Identifier, view.Sequence, view.Payload.Length));
        message[19] ^= 1;
        Assert.False(view.IsChecksumValid(0));
        Assert.False(IcmpView.TryParse(new byte[7], out _));
    }

    /// <summary>What a view has accepted, every accessor can read: none throws, whatever the bytes.</summary>
    [Fact]
    public void Any_bytes_are_refused_or_readable() =>
        Gen.Select(Gen.Byte.Array[0, 120], Gen.Int[0, 3]).Sample((bytes, kind) =>
        {
            // Half-right bytes get further than random ones.
            if (bytes.Length > 20 && kind == 1) (bytes[0], bytes[2], bytes[3]) = (0x45, 0, (byte)bytes.Length);
            if (bytes.Length > 40 && kind == 2) (bytes[0], bytes[4], bytes[5]) = (0x60, 0, (byte)(bytes.Length - 40));
            Touch.All(bytes);
        }, iter: 20_000);
}
