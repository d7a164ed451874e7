using System.Net;
using System.Net.NetworkInformation;
using CsCheck;
using PacketDotNet;

namespace NicHost.Wire.Tests;

/// <summary>The same frames, written by us and read by PacketDotNet, and the other way round.</summary>
public sealed class SecondOpinionTests
{
    private const ulong GuestMac = 0x525400123456;
    private const ulong HostMac = 0x020000000001;
    private const uint Guest = 0x0A00020F;
    private const uint Remote = 0x5DB8D822;

    private static readonly UInt128 s_guest6 = new(0xFD00_0000_0000_0000, 0x15);
    private static readonly UInt128 s_remote6 = new(0x2001_0DB8_0000_0000, 0xFFFF_0000_0000_0001);

    private static byte[] TcpFrame(byte[] payload, TcpFlags flags, bool v6)
    {
        byte[] frame = new byte[14 + (v6 ? 40 : 20) + 60 + payload.Length];
        int at = EthernetView.Write(frame, HostMac, GuestMac, v6 ? EtherType.Ipv6 : EtherType.Ipv4);
        int ip = at;
        at += v6 ? Ipv6View.HeaderLength : Ipv4View.MinHeaderLength;
        TcpOptionWriter options = new(frame.AsSpan(at + 20));
        options.Mss(1460);
        options.WindowScale(7);
        options.SackPermitted();
        options.Timestamps(0x11223344, 0x55667788);
        int header = TcpView.Write(frame.AsSpan(at), 40_000, 443, 0xFFFFFFFE, 0x01020304, flags, 0xABCD, options.Length);
        payload.CopyTo(frame.AsSpan(at + header));
        int length = header + payload.Length;
        uint pseudo;
        if (v6)
        {
            Ipv6View.Write(frame.AsSpan(ip), length, IpProtocol.Tcp, s_guest6, s_remote6, 61, 0x28, 0xABCDE);
            pseudo = InternetChecksum.PseudoHeader(s_guest6, s_remote6, IpProtocol.Tcp, length);
        }
        else
        {
            Ipv4View.Write(frame.AsSpan(ip), length, IpProtocol.Tcp, Guest, Remote, 61, 0x28, 0x4321);
            pseudo = InternetChecksum.PseudoHeader(Guest, Remote, IpProtocol.Tcp, length);
        }

        TcpView.SetChecksum(frame.AsSpan(at), InternetChecksum.Finish(InternetChecksum.Add(pseudo, frame.AsSpan(at, length))));
        return frame[..(at + length)];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tcp_frame_of_ours_is_understood(bool v6)
    {
        byte[] payload = [.. Enumerable.Range(0, 101).Select(i => (byte)i)];
        byte[] frame = TcpFrame(payload, TcpFlags.Psh | TcpFlags.Ack, v6);
        Packet packet = Packet.ParsePacket(LinkLayers.Ethernet, frame);
        EthernetPacket ethernet = packet.Extract<EthernetPacket>();
        IPPacket ip = packet.Extract<IPPacket>();
        TcpPacket tcp = packet.Extract<TcpPacket>();

        Assert.Equal(PhysicalAddress.Parse("525400123456"), ethernet.SourceHardwareAddress);
        Assert.Equal(PhysicalAddress.Parse("020000000001"), ethernet.DestinationHardwareAddress);
        Assert.Equal(IPAddress.Parse(v6 ? "fd00::15" : "10.0.2.15"), ip.SourceAddress);
        Assert.Equal(IPAddress.Parse(v6 ? "2001:db8::ffff:0:0:1" : "93.184.216.34"), ip.DestinationAddress);
        Assert.Equal(61, ip.TimeToLive);
        Assert.Equal((40_000, 443), (tcp.SourcePort, tcp.DestinationPort));
        Assert.Equal((0xFFFFFFFEu, 0x01020304u), (tcp.SequenceNumber, tcp.AcknowledgmentNumber));
        Assert.True(tcp.Push && tcp.Acknowledgment && !tcp.Synchronize && !tcp.Reset);
        Assert.Equal(0xABCD, tcp.WindowSize);
        Assert.True(tcp.ValidTcpChecksum);
        Assert.Equal(payload, tcp.PayloadData);
        string options = string.Join(",", tcp.OptionsCollection.Select(option => option.Kind.ToString()).Where(name => name != "NoOperation"));
        Assert.Equal("MaximumSegmentSize,WindowScaleFactor,SelectiveAcknowledgmentPermitted,Timestamp", options);
        if (ip is IPv4Packet v4) Assert.True(v4.ValidIPChecksum && v4.Id == 0x4321 && v4.TypeOfService == 0x28);
        if (ip is IPv6Packet six) Assert.Equal((0x28, 0xABCDE), (six.TrafficClass, six.FlowLabel));
    }

    [Fact]
    public void Udp_and_icmp_of_theirs_are_understood() =>
        Gen.Select(Gen.UShort, Gen.UShort, Gen.Byte.Array[0, 1400], Gen.UInt, Gen.UInt, Gen.Byte).Sample((source, destination, payload, from, to, ttl) =>
        {
            UdpPacket udp = new(source, destination) { PayloadData = payload };
            IPv4Packet ip = new(Address(from), Address(to)) { TimeToLive = ttl, PayloadPacket = udp };
            udp.UpdateUdpChecksum();
            ip.UpdateIPChecksum();
            EthernetPacket ethernet = new(PhysicalAddress.Parse("525400123456"), PhysicalAddress.Parse("FFFFFFFFFFFF"), EthernetType.IPv4) { PayloadPacket = ip };
            byte[] frame = ethernet.Bytes;

            Assert.True(EthernetView.TryParse(frame, out EthernetView view));
            Assert.Equal((GuestMac, EthernetView.Broadcast, EtherType.Ipv4), (view.Source, view.Destination, view.EtherType));
            Assert.True(Ipv4View.TryParse(view.Payload, out Ipv4View ours));
            Assert.Equal((from, to, ttl, IpProtocol.Udp), (ours.Source, ours.Destination, ours.Ttl, ours.Protocol));
            Assert.True(ours.IsChecksumValid);
            Assert.True(UdpView.TryParse(ours.Payload, out UdpView datagram));
            Assert.Equal((source, destination), (datagram.SourcePort, datagram.DestinationPort));
            Assert.Equal(payload, datagram.Payload.ToArray());
            if (datagram.Checksum != 0) Assert.True(InternetChecksum.IsValid(InternetChecksum.Add(ours.PseudoHeader, ours.Payload)));
        });

    [Fact]
    public void Arp_is_understood_both_ways()
    {
        ArpPacket theirs = new(ArpOperation.Response, PhysicalAddress.Parse("020000000001"), IPAddress.Parse("10.0.2.15"), PhysicalAddress.Parse("525400123456"), IPAddress.Parse("10.0.2.2"));
        Assert.True(ArpView.TryParse(theirs.Bytes, out ArpView view));
        Assert.Equal(ArpView.Reply, view.Operation);
        Assert.Equal((0x525400123456UL, 0x0A000202u, 0x020000000001UL, 0x0A00020Fu), (view.SenderMac, view.SenderAddress, view.TargetMac, view.TargetAddress));
        byte[] ours = new byte[ArpView.Length];
        ArpView.Write(ours, ArpView.Reply, view.SenderMac, view.SenderAddress, view.TargetMac, view.TargetAddress);
        Assert.Equal(theirs.Bytes, ours);
    }

    [Fact]
    public void Vlan_tag_is_understood()
    {
        byte[] frame = new byte[18 + 28];
        EthernetView.WriteTagged(frame, HostMac, GuestMac, 0xA123, EtherType.Arp);
        ArpView.Write(frame.AsSpan(18), ArpView.Request, GuestMac, Guest, 0, Remote);
        Packet packet = Packet.ParsePacket(LinkLayers.Ethernet, frame);
        Ieee8021QPacket tag = packet.Extract<Ieee8021QPacket>();
        Assert.Equal(0x123, tag.VlanIdentifier);
        Assert.Equal(5, (int)tag.PriorityControlPoint);
        Assert.Equal(ArpOperation.Request, packet.Extract<ArpPacket>().Operation);
        Assert.True(EthernetView.TryParse(frame, out EthernetView view));
        Assert.Equal((true, 0x123, EtherType.Arp, 18), (view.HasVlan, view.VlanId, view.EtherType, view.HeaderLength));
    }

    private static IPAddress Address(uint value) => new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
}
