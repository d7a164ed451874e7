using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Neighbor;

/// <summary>
/// Answers ARP (RFC 826) for the gateway and the DNS address. Nobody answers for the others, as on a real network: a guest then knows
/// at once that they are free (RFC 5227) or not there.
/// </summary>
internal sealed class ArpResponder(Network network, IGuestPort port)
{
    private const int Length = 28;
    private const uint EthernetIpv4 = 0x0001_0800;
    private const ushort Sizes = 0x0604;
    private const ushort Request = 1;
    private const ushort Reply = 2;

    public long Answered { get; private set; }

    [SkipLocalsInit]
    public void FromGuest(int queue, ReadOnlySpan<byte> arp, QueueCounters counters)
    {
        if (arp.Length < Length || BinaryPrimitives.ReadUInt32BigEndian(arp) != EthernetIpv4 || BinaryPrimitives.ReadUInt16BigEndian(arp[4..]) != Sizes)
        {
            counters.DropTx(DropReason.Malformed);
            return;
        }
        var sender = IpAddr.FromV4(arp[14..]);
        var target = IpAddr.FromV4(arp[24..]);
        if (BinaryPrimitives.ReadUInt16BigEndian(arp[6..]) != Request) return;
        if (!network.GuestMac.Equals(new Contracts.Nics.MacAddress(arp[8..])))
        {
            counters.DropTx(DropReason.Spoofed);
            return;
        }
        // A probe of the guest's own address, or a gratuitous announcement of it, asks for silence.
        if (target != network.GatewayV4 && target != network.DnsV4) return;

        Span<byte> frame = stackalloc byte[FrameWriter.Ethernet + Length];
        FrameWriter.WriteEthernet(frame, network.GuestMac, network.GatewayMac, FrameWriter.EtherTypeArp);
        var reply = frame[FrameWriter.Ethernet..];
        BinaryPrimitives.WriteUInt32BigEndian(reply, EthernetIpv4);
        BinaryPrimitives.WriteUInt16BigEndian(reply[4..], Sizes);
        BinaryPrimitives.WriteUInt16BigEndian(reply[6..], Reply);
        network.GatewayMac.CopyTo(reply[8..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[14..], target.V4);
        network.GuestMac.CopyTo(reply[18..]);
        BinaryPrimitives.WriteUInt32BigEndian(reply[24..], sender.V4);
        if (port.Send(queue, frame)) Answered++;
    }
}
