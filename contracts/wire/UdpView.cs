using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>A UDP header.</summary>
public readonly ref struct UdpView
{
    // RFC 768
    private const int SourcePortAt = 0;
    private const int DestinationPortAt = 2;
    private const int LengthAt = 4;

    /// <summary>Where the checksum field is.</summary>
    public const int ChecksumAt = 6;

    /// <summary>Bytes of the header.</summary>
    public const int HeaderLength = 8;

    private readonly ReadOnlySpan<byte> _datagram;

    private UdpView(ReadOnlySpan<byte> datagram) => _datagram = datagram;

    /// <summary>Looks at a datagram that is there wholly.</summary>
    /// <param name="datagram">An IP payload.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header is cut or its length field is wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> datagram, out UdpView view) => TryParse(datagram, datagram.Length, out view);

    /// <summary>Looks at the start of a datagram, the rest of which is elsewhere.</summary>
    /// <param name="start">At least the header.</param>
    /// <param name="available">How many bytes the IP payload has: <see cref="Length"/> is checked against it.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header is cut or its length field is wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> start, int available, out UdpView view)
    {
        view = default;
        if (start.Length < HeaderLength) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(start[LengthAt..]);
        if (length < HeaderLength || length > available) return false;
        view = new UdpView(start[..Math.Min(length, start.Length)]);
        return true;
    }

    /// <summary>Source port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_datagram[SourcePortAt..]);

    /// <summary>Destination port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_datagram[DestinationPortAt..]);

    /// <summary>Bytes of header and payload.</summary>
    public int Length => BinaryPrimitives.ReadUInt16BigEndian(_datagram[LengthAt..]);

    /// <summary>Bytes of payload.</summary>
    public int PayloadLength => Length - HeaderLength;

    /// <summary>The checksum field; 0 means none (IPv4 only).</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_datagram[ChecksumAt..]);

    /// <summary>What follows the header, as far as it was given.</summary>
    public ReadOnlySpan<byte> Payload => _datagram[HeaderLength..];

    /// <summary>Writes a header; the checksum field gets <paramref name="checksum"/>.</summary>
    /// <param name="to">At least <see cref="HeaderLength"/> bytes.</param>
    /// <param name="sourcePort">Source port.</param>
    /// <param name="destinationPort">Destination port.</param>
    /// <param name="payloadLength">Bytes of payload, at most 65527.</param>
    /// <param name="checksum">0 (none, IPv4 only), or a partial checksum.</param>
    /// <returns>Bytes written.</returns>
    public static int Write(Span<byte> to, ushort sourcePort, ushort destinationPort, int payloadLength, ushort checksum = 0)
    {
        to = to[..HeaderLength];
        BinaryPrimitives.WriteUInt16BigEndian(to[SourcePortAt..], sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(to[DestinationPortAt..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(to[LengthAt..], checked((ushort)(HeaderLength + payloadLength)));
        BinaryPrimitives.WriteUInt16BigEndian(to[ChecksumAt..], checksum);
        return HeaderLength;
    }

    /// <summary>Computes and writes the checksum of a datagram that is there wholly.</summary>
    /// <param name="datagram">Header and payload.</param>
    /// <param name="pseudoHeader">From <see cref="InternetChecksum"/>.</param>
    public static void WriteChecksum(Span<byte> datagram, uint pseudoHeader)
    {
        BinaryPrimitives.WriteUInt16BigEndian(datagram[ChecksumAt..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(datagram[ChecksumAt..], InternetChecksum.FinishUdp(InternetChecksum.Add(pseudoHeader, datagram)));
    }
}
