using System.Buffers.Binary;
using NicHost.Wire;

namespace NicEndpoint1;

/// <summary>Turns questions into answers: ARP (RFC 826) and ICMP echo (RFC 792).</summary>
internal sealed class Responder(uint address)
{
    private const int Payload = EthernetView.MinHeaderLength;

    /// <summary>Locally administered, from the address.</summary>
    public ulong Mac { get; } = 0x0200_0000_0000UL | address;

    public long ArpReplies { get; private set; }

    public long EchoReplies { get; private set; }

    public byte[] AddressBytes()
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, address);
        return bytes;
    }

    /// <summary>Makes the answer in place of the question; false when <paramref name="frame"/> asks nothing of us.</summary>
    public bool TryAnswer(Span<byte> frame)
    {
        if (!EthernetView.TryParse(frame, out var ethernet) || ethernet.HasVlan) return false;
        var guest = ethernet.Source;
        var answered = ethernet.EtherType switch
        {
            EtherType.Arp => TryAnswerArp(frame[Payload..]),
            EtherType.Ipv4 when ethernet.Destination == Mac => TryAnswerEcho(frame[Payload..]),
            _ => false,
        };
        if (answered) EthernetView.Write(frame, guest, Mac, ethernet.EtherType);
        return answered;
    }

    private bool TryAnswerArp(Span<byte> packet)
    {
        if (!ArpView.TryParse(packet, out var arp) || arp.Operation != ArpView.Request || arp.TargetAddress != address) return false;
        var (guestMac, guestAddress) = (arp.SenderMac, arp.SenderAddress);
        ArpView.Write(packet, ArpView.Reply, Mac, address, guestMac, guestAddress);
        ArpReplies++;
        return true;
    }

    private bool TryAnswerEcho(Span<byte> packet)
    {
        if (!Ipv4View.TryParse(packet, out var ip) || ip.Destination != address || ip.Protocol != IpProtocol.Icmp || ip.IsFragment) return false;
        if (!IcmpView.TryParse(ip.Payload, out var icmp) || icmp.Type != IcmpType.Echo || !icmp.IsChecksumValid(0)) return false;
        var (header, total, guestAddress) = (ip.HeaderLength, ip.TotalLength, ip.Source);
        // Source and destination change places: the header's checksum stays right.
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], address);
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], guestAddress);
        var message = packet[header..total];
        message[0] = IcmpType.EchoReply;
        IcmpView.WriteChecksum(message, 0);
        EchoReplies++;
        return true;
    }
}
