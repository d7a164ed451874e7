using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>Writes a neighbour discovery message: one of the four kinds, then options, then <see cref="Finish"/>.</summary>
public ref struct NdpWriter
{
    private const int OptionUnit = 8;

    private readonly Span<byte> _to;
    private int _length;

    private NdpWriter(Span<byte> to, int length)
    {
        _to = to;
        _length = length;
        to[..length].Clear();
    }

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    /// <summary>Starts a router solicitation (RFC 4861 section 4.1).</summary>
    /// <param name="to">Room for the message.</param>
    public static NdpWriter RouterSolicitation(Span<byte> to)
    {
        NdpWriter writer = new(to, NdpView.SolicitationLength);
        to[0] = Icmpv6Type.RouterSolicitation;
        return writer;
    }

    /// <summary>Starts a router advertisement (RFC 4861 section 4.2).</summary>
    /// <param name="to">Room for the message.</param>
    /// <param name="hopLimit">Hop limit for hosts, 0 for unspecified.</param>
    /// <param name="flags">Flags.</param>
    /// <param name="routerLifetime">Seconds as a default router, 0 for not one.</param>
    /// <param name="reachableTime">Milliseconds, 0 for unspecified.</param>
    /// <param name="retransmitTime">Milliseconds, 0 for unspecified.</param>
    public static NdpWriter RouterAdvertisement(
        Span<byte> to, byte hopLimit, RouterFlags flags, ushort routerLifetime, uint reachableTime = 0, uint retransmitTime = 0)
    {
        NdpWriter writer = new(to, NdpView.RouterAdvertisementLength);
        to[0] = Icmpv6Type.RouterAdvertisement;
        to[4] = hopLimit;
        to[5] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], routerLifetime);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], reachableTime);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], retransmitTime);
        return writer;
    }

    /// <summary>Starts a neighbour solicitation (RFC 4861 section 4.3).</summary>
    /// <param name="to">Room for the message.</param>
    /// <param name="target">The address asked for.</param>
    public static NdpWriter NeighborSolicitation(Span<byte> to, UInt128 target)
    {
        NdpWriter writer = new(to, NdpView.NeighborLength);
        to[0] = Icmpv6Type.NeighborSolicitation;
        BinaryPrimitives.WriteUInt128BigEndian(to[8..], target);
        return writer;
    }

    /// <summary>Starts a neighbour advertisement (RFC 4861 section 4.4).</summary>
    /// <param name="to">Room for the message.</param>
    /// <param name="target">The address told about.</param>
    /// <param name="flags">Flags.</param>
    public static NdpWriter NeighborAdvertisement(Span<byte> to, UInt128 target, NeighborFlags flags)
    {
        NdpWriter writer = new(to, NdpView.NeighborLength);
        to[0] = Icmpv6Type.NeighborAdvertisement;
        to[4] = (byte)flags;
        BinaryPrimitives.WriteUInt128BigEndian(to[8..], target);
        return writer;
    }

    /// <summary>A source or target link-layer address.</summary>
    /// <param name="option"><see cref="NdpOption.SourceLinkAddress"/> or <see cref="NdpOption.TargetLinkAddress"/>.</param>
    /// <param name="mac">The address in the low 48 bits.</param>
    public void LinkAddress(byte option, ulong mac) => EthernetView.WriteMac(Start(option, OptionUnit)[2..], mac);

    /// <summary>The link's MTU (RFC 4861 section 4.6.4).</summary>
    /// <param name="mtu">Bytes.</param>
    public void Mtu(uint mtu) => BinaryPrimitives.WriteUInt32BigEndian(Start(NdpOption.Mtu, OptionUnit)[4..], mtu);

    /// <summary>A prefix (RFC 4861 section 4.6.2).</summary>
    /// <param name="prefix">The prefix.</param>
    public void Prefix(in NdpPrefix prefix)
    {
        Span<byte> at = Start(NdpOption.PrefixInformation, 4 * OptionUnit);
        at[2] = prefix.Length;
        at[3] = (byte)prefix.Flags;
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], prefix.ValidSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(at[8..], prefix.PreferredSeconds);
        BinaryPrimitives.WriteUInt128BigEndian(at[16..], prefix.Prefix);
    }

    /// <summary>DNS servers (RFC 8106 section 5.1).</summary>
    /// <param name="lifetime">Seconds.</param>
    /// <param name="servers">At least one.</param>
    public void Rdnss(uint lifetime, scoped ReadOnlySpan<UInt128> servers)
    {
        Span<byte> at = Start(NdpOption.Rdnss, OptionUnit + (16 * servers.Length));
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], lifetime);
        for (int i = 0; i < servers.Length; i++) BinaryPrimitives.WriteUInt128BigEndian(at[(8 + (16 * i))..], servers[i]);
    }

    /// <summary>DNS search list (RFC 8106 section 5.2); nothing is written when no name is usable.</summary>
    /// <param name="lifetime">Seconds.</param>
    /// <param name="domains">Names such as <c>example.org</c>; unusable ones are left out.</param>
    public void Dnssl(uint lifetime, scoped ReadOnlySpan<string> domains)
    {
        Span<byte> names = _to[(_length + OptionUnit)..];
        int used = 0;
        foreach (string domain in domains)
        {
            if (DnsName.TryEncode(domain, names[used..], out int written)) used += written;
        }

        if (used == 0) return;
        int length = OptionUnit + ((used + OptionUnit - 1) & ~(OptionUnit - 1));
        names[used..(length - OptionUnit)].Clear();
        Span<byte> at = _to.Slice(_length, length);
        at[..OptionUnit].Clear();
        at[0] = NdpOption.Dnssl;
        at[1] = (byte)(length / OptionUnit);
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], lifetime);
        _length += length;
    }

    /// <summary>Writes the checksum.</summary>
    /// <param name="source">The packet's source address.</param>
    /// <param name="destination">The packet's destination address.</param>
    /// <returns>Bytes of the message.</returns>
    public readonly int Finish(UInt128 source, UInt128 destination)
    {
        IcmpView.WriteChecksum(_to[.._length], InternetChecksum.PseudoHeader(source, destination, IpProtocol.Icmpv6, _length));
        return _length;
    }

    private Span<byte> Start(byte option, int length)
    {
        Span<byte> at = _to.Slice(_length, length);
        at.Clear();
        at[0] = option;
        at[1] = (byte)(length / OptionUnit);
        _length += length;
        return at;
    }
}
