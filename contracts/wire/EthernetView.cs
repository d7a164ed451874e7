using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>EtherType numbers (IEEE 802 Numbers).</summary>
public static class EtherType
{
    /// <summary>IPv4.</summary>
    public const ushort Ipv4 = 0x0800;
    /// <summary>ARP.</summary>
    public const ushort Arp = 0x0806;
    /// <summary>802.1Q tag.</summary>
    public const ushort Vlan = 0x8100;
    /// <summary>802.1ad service tag.</summary>
    public const ushort ServiceVlan = 0x88A8;
    /// <summary>IPv6.</summary>
    public const ushort Ipv6 = 0x86DD;
}

/// <summary>An Ethernet II header with at most one 802.1Q tag.</summary>
public readonly ref struct EthernetView
{
    // IEEE 802.3 clause 3.2, IEEE 802.1Q clause 9.6
    private const int DestinationAt = 0;
    private const int SourceAt = 6;
    private const int TypeAt = 12;
    private const int TagAt = 14;
    private const int InnerTypeAt = 16;

    /// <summary>Bytes of an untagged header.</summary>
    public const int MinHeaderLength = 14;

    /// <summary>Bytes of a tag.</summary>
    public const int VlanTagLength = 4;

    /// <summary>FF:FF:FF:FF:FF:FF.</summary>
    public const ulong Broadcast = 0xFFFF_FFFF_FFFF;

    private readonly ReadOnlySpan<byte> _frame;

    private EthernetView(ReadOnlySpan<byte> frame, bool tagged)
    {
        _frame = frame;
        HasVlan = tagged;
    }

    /// <summary>Looks at a frame.</summary>
    /// <param name="frame">The frame, or its start.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the frame ends within the header.</returns>
    public static bool TryParse(ReadOnlySpan<byte> frame, out EthernetView view)
    {
        view = default;
        if (frame.Length < MinHeaderLength) return false;
        bool tagged = BinaryPrimitives.ReadUInt16BigEndian(frame[TypeAt..]) == Wire.EtherType.Vlan;
        if (tagged && frame.Length < MinHeaderLength + VlanTagLength) return false;
        view = new EthernetView(frame, tagged);
        return true;
    }

    /// <summary>Destination MAC address in the low 48 bits; 52:54:00:12:34:56 is 0x525400123456.</summary>
    public ulong Destination => ReadMac(_frame[DestinationAt..]);

    /// <summary>Source MAC address in the low 48 bits.</summary>
    public ulong Source => ReadMac(_frame[SourceAt..]);

    /// <summary>Whether the frame goes to a group (or to all).</summary>
    public bool IsMulticast => (_frame[DestinationAt] & 1) != 0;

    /// <summary>Whether there is an 802.1Q tag.</summary>
    public bool HasVlan { get; }

    /// <summary>The tag: priority (3 bits), drop eligible (1), VLAN id (12); 0 without a tag.</summary>
    public ushort VlanTci => HasVlan ? BinaryPrimitives.ReadUInt16BigEndian(_frame[TagAt..]) : (ushort)0;

    /// <summary>The VLAN id; 0 without a tag.</summary>
    public int VlanId => VlanTci & 0xFFF;

    /// <summary>What the payload is, behind a tag if there is one.</summary>
    public ushort EtherType => BinaryPrimitives.ReadUInt16BigEndian(_frame[(HasVlan ? InnerTypeAt : TypeAt)..]);

    /// <summary>14, or 18 with a tag.</summary>
    public int HeaderLength => HasVlan ? MinHeaderLength + VlanTagLength : MinHeaderLength;

    /// <summary>What follows the header (as far as it was given).</summary>
    public ReadOnlySpan<byte> Payload => _frame[HeaderLength..];

    /// <summary>Writes an untagged header.</summary>
    /// <param name="to">At least <see cref="MinHeaderLength"/> bytes.</param>
    /// <param name="destination">Destination MAC address in the low 48 bits.</param>
    /// <param name="source">Source MAC address in the low 48 bits.</param>
    /// <param name="etherType">What the payload is.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> to, ulong destination, ulong source, ushort etherType)
    {
        WriteMac(to[DestinationAt..], destination);
        WriteMac(to[SourceAt..], source);
        BinaryPrimitives.WriteUInt16BigEndian(to[TypeAt..], etherType);
        return MinHeaderLength;
    }

    /// <summary>Writes a header with an 802.1Q tag.</summary>
    /// <param name="to">At least 18 bytes.</param>
    /// <param name="destination">Destination MAC address in the low 48 bits.</param>
    /// <param name="source">Source MAC address in the low 48 bits.</param>
    /// <param name="vlanTci">The tag.</param>
    /// <param name="etherType">What the payload is.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteTagged(Span<byte> to, ulong destination, ulong source, ushort vlanTci, ushort etherType)
    {
        Write(to, destination, source, Wire.EtherType.Vlan);
        BinaryPrimitives.WriteUInt16BigEndian(to[TagAt..], vlanTci);
        BinaryPrimitives.WriteUInt16BigEndian(to[InnerTypeAt..], etherType);
        return MinHeaderLength + VlanTagLength;
    }

    /// <summary>Reads a MAC address.</summary>
    /// <param name="from">At least 6 bytes.</param>
    /// <returns>The address in the low 48 bits.</returns>
    public static ulong ReadMac(ReadOnlySpan<byte> from) =>
        (ulong)BinaryPrimitives.ReadUInt32BigEndian(from) << 16 | BinaryPrimitives.ReadUInt16BigEndian(from[4..]);

    /// <summary>Writes a MAC address.</summary>
    /// <param name="to">At least 6 bytes.</param>
    /// <param name="mac">The address in the low 48 bits.</param>
    public static void WriteMac(Span<byte> to, ulong mac)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], (ushort)mac);
        BinaryPrimitives.WriteUInt32BigEndian(to, (uint)(mac >> 16));
    }
}
