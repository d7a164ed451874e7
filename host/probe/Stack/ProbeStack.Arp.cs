using System.Buffers.Binary;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <content>ARP (RFC 826).</content>
public sealed unsafe partial class ProbeStack
{
    private const int ArpLength = 28;

    private void ReceiveArp(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Proto.Ethernet + ArpLength)
        {
            Faults.Report("ARP packet too short");
            return;
        }
        var arp = frame[Proto.Ethernet..];
        if (BinaryPrimitives.ReadUInt64BigEndian(arp) >> 16 != 0x0001_0800_0604)
        {
            Faults.Report("ARP packet for other than IPv4 over Ethernet");
            return;
        }
        var sender = Ip.Read(arp.Slice(14, 4));
        var target = Ip.Read(arp.Slice(24, 4));
        if (target != Address4 || Address4.IsZero) return;
        var mac = new MacAddress(arp[8..]);
        if (!sender.IsZero) _neighbours.Learn(sender, mac);
        if (BinaryPrimitives.ReadUInt16BigEndian(arp[6..]) == 1) SendArp(2, mac, sender);
    }

    private void SendArp(ushort operation, MacAddress targetMac, Ip target)
    {
        if (!_link.TryBegin(0, Proto.Ethernet + ArpLength, out var frame)) return;
        WriteEthernet(frame, operation == 1 ? GroupMac(Ip.Broadcast) : targetMac, Proto.EtherArp);
        var arp = frame[Proto.Ethernet..];
        BinaryPrimitives.WriteUInt64BigEndian(arp, (0x0001_0800_0604UL << 16) | operation);
        Mac.CopyTo(arp[8..]);
        Address4.CopyTo(arp[14..]);
        targetMac.CopyTo(arp[18..]);
        target.CopyTo(arp[24..]);
        _link.Send(Proto.Ethernet + ArpLength, null, 0, default);
    }
}
