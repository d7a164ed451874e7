using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>An ARP packet for IPv4 over Ethernet.</summary>
public readonly ref struct ArpView
{
    // RFC 826 "Packet format"
    private const int HardwareTypeAt = 0;
    private const int ProtocolTypeAt = 2;
    private const int HardwareLengthAt = 4;
    private const int ProtocolLengthAt = 5;
    private const int OperationAt = 6;
    private const int SenderMacAt = 8;
    private const int SenderAddressAt = 14;
    private const int TargetMacAt = 18;
    private const int TargetAddressAt = 24;

    private const ushort HardwareEthernet = 1;

    /// <summary>Bytes of a packet.</summary>
    public const int Length = 28;

    /// <summary>Operation: who has this address?</summary>
    public const ushort Request = 1;

    /// <summary>Operation: the answer.</summary>
    public const ushort Reply = 2;

    private readonly ReadOnlySpan<byte> _packet;

    private ArpView(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary>Looks at a packet.</summary>
    /// <param name="packet">An Ethernet payload; padding is ignored.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when it is too short or not about IPv4 over Ethernet.</returns>
    public static bool TryParse(ReadOnlySpan<byte> packet, out ArpView view)
    {
        view = default;
        if (packet.Length < Length) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(packet[HardwareTypeAt..]) != HardwareEthernet) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(packet[ProtocolTypeAt..]) != EtherType.Ipv4) return false;
        if (packet[HardwareLengthAt] != 6 || packet[ProtocolLengthAt] != 4) return false;
        view = new ArpView(packet[..Length]);
        return true;
    }

    /// <summary><see cref="Request"/>, <see cref="Reply"/> or something else.</summary>
    public ushort Operation => BinaryPrimitives.ReadUInt16BigEndian(_packet[OperationAt..]);

    /// <summary>The sender's MAC address in the low 48 bits.</summary>
    public ulong SenderMac => EthernetView.ReadMac(_packet[SenderMacAt..]);

    /// <summary>The sender's IPv4 address; 0 in a probe (RFC 5227).</summary>
    public uint SenderAddress => BinaryPrimitives.ReadUInt32BigEndian(_packet[SenderAddressAt..]);

    /// <summary>The target's MAC address in the low 48 bits; meaningless in a request.</summary>
    public ulong TargetMac => EthernetView.ReadMac(_packet[TargetMacAt..]);

    /// <summary>The target's IPv4 address.</summary>
    public uint TargetAddress => BinaryPrimitives.ReadUInt32BigEndian(_packet[TargetAddressAt..]);

    /// <summary>Writes a packet.</summary>
    /// <param name="to">At least <see cref="Length"/> bytes.</param>
    /// <param name="operation"><see cref="Request"/> or <see cref="Reply"/>.</param>
    /// <param name="senderMac">The sender's MAC address.</param>
    /// <param name="senderAddress">The sender's IPv4 address.</param>
    /// <param name="targetMac">The target's MAC address, 0 in a request.</param>
    /// <param name="targetAddress">The target's IPv4 address.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> to, ushort operation, ulong senderMac, uint senderAddress, ulong targetMac, uint targetAddress)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to[TargetAddressAt..], targetAddress);
        BinaryPrimitives.WriteUInt16BigEndian(to[HardwareTypeAt..], HardwareEthernet);
        BinaryPrimitives.WriteUInt16BigEndian(to[ProtocolTypeAt..], EtherType.Ipv4);
        to[HardwareLengthAt] = 6;
        to[ProtocolLengthAt] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(to[OperationAt..], operation);
        EthernetView.WriteMac(to[SenderMacAt..], senderMac);
        BinaryPrimitives.WriteUInt32BigEndian(to[SenderAddressAt..], senderAddress);
        EthernetView.WriteMac(to[TargetMacAt..], targetMac);
        return Length;
    }
}
