using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>TCP's flags (RFC 9293 section 3.1, RFC 3168 section 6.1).</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>No more data from the sender.</summary>
    Fin = 0x01,
    /// <summary>Synchronise sequence numbers.</summary>
    Syn = 0x02,
    /// <summary>Reset.</summary>
    Rst = 0x04,
    /// <summary>Push.</summary>
    Psh = 0x08,
    /// <summary>The acknowledgement number counts.</summary>
    Ack = 0x10,
    /// <summary>The urgent pointer counts.</summary>
    Urg = 0x20,
    /// <summary>Congestion was seen.</summary>
    Ece = 0x40,
    /// <summary>The sender has slowed down.</summary>
    Cwr = 0x80,
}

/// <summary>A TCP header.</summary>
public readonly ref struct TcpView
{
    // RFC 9293 section 3.1
    private const int SourcePortAt = 0;
    private const int DestinationPortAt = 2;
    private const int SequenceAt = 4;
    private const int AcknowledgementAt = 8;
    private const int DataOffsetAt = 12;
    private const int FlagsAt = 13;
    private const int WindowAt = 14;
    private const int UrgentAt = 18;

    /// <summary>Where the checksum field is.</summary>
    public const int ChecksumAt = 16;

    /// <summary>Bytes of a header without options.</summary>
    public const int MinHeaderLength = 20;

    /// <summary>Bytes of the longest header.</summary>
    public const int MaxHeaderLength = 60;

    private readonly ReadOnlySpan<byte> _segment;

    private TcpView(ReadOnlySpan<byte> segment) => _segment = segment;

    /// <summary>Looks at a segment.</summary>
    /// <param name="segment">An IP payload, or its start: at least the whole TCP header.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header is cut or its length is wrong.</returns>
    public static bool TryParse(ReadOnlySpan<byte> segment, out TcpView view)
    {
        view = default;
        if (segment.Length < MinHeaderLength) return false;
        int headerLength = (segment[DataOffsetAt] >> 4) * 4;
        if (headerLength < MinHeaderLength || headerLength > segment.Length) return false;
        view = new TcpView(segment);
        return true;
    }

    /// <summary>Source port.</summary>
    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_segment[SourcePortAt..]);

    /// <summary>Destination port.</summary>
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_segment[DestinationPortAt..]);

    /// <summary>Sequence number of the first byte (or of SYN).</summary>
    public uint Sequence => BinaryPrimitives.ReadUInt32BigEndian(_segment[SequenceAt..]);

    /// <summary>Next sequence number expected from the other side.</summary>
    public uint Acknowledgement => BinaryPrimitives.ReadUInt32BigEndian(_segment[AcknowledgementAt..]);

    /// <summary>Bytes of the header with options.</summary>
    public int HeaderLength => (_segment[DataOffsetAt] >> 4) * 4;

    /// <summary>Flags.</summary>
    public TcpFlags Flags => (TcpFlags)_segment[FlagsAt];

    /// <summary>The window field, not scaled.</summary>
    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(_segment[WindowAt..]);

    /// <summary>The checksum field.</summary>
    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_segment[ChecksumAt..]);

    /// <summary>The urgent pointer.</summary>
    public ushort UrgentPointer => BinaryPrimitives.ReadUInt16BigEndian(_segment[UrgentAt..]);

    /// <summary>The options' bytes; see <see cref="TcpOptions.Parse"/>.</summary>
    public ReadOnlySpan<byte> Options => _segment[MinHeaderLength..HeaderLength];

    /// <summary>What follows the header, as far as it was given.</summary>
    public ReadOnlySpan<byte> Payload => _segment[HeaderLength..];

    /// <summary>Writes a header; the checksum field gets <paramref name="checksum"/>.</summary>
    /// <param name="to">At least 20 bytes and the options.</param>
    /// <param name="sourcePort">Source port.</param>
    /// <param name="destinationPort">Destination port.</param>
    /// <param name="sequence">Sequence number.</param>
    /// <param name="acknowledgement">Acknowledgement number.</param>
    /// <param name="flags">Flags.</param>
    /// <param name="window">The window field, scaled already.</param>
    /// <param name="optionsLength">Bytes of options that are (or will be) at <paramref name="to"/>[20..]; a multiple of 4, at most 40.</param>
    /// <param name="checksum">0, or a partial checksum.</param>
    /// <returns>Bytes of the header, options included.</returns>
    public static int Write(
        Span<byte> to,
        ushort sourcePort,
        ushort destinationPort,
        uint sequence,
        uint acknowledgement,
        TcpFlags flags,
        ushort window,
        int optionsLength = 0,
        ushort checksum = 0)
    {
        int length = MinHeaderLength + optionsLength;
        if ((length & 3) != 0 || length > MaxHeaderLength) throw new ArgumentOutOfRangeException(nameof(optionsLength));
        to = to[..length];
        BinaryPrimitives.WriteUInt16BigEndian(to[SourcePortAt..], sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(to[DestinationPortAt..], destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(to[SequenceAt..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(to[AcknowledgementAt..], acknowledgement);
        to[DataOffsetAt] = (byte)(length / 4 << 4);
        to[FlagsAt] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(to[WindowAt..], window);
        BinaryPrimitives.WriteUInt16BigEndian(to[ChecksumAt..], checksum);
        BinaryPrimitives.WriteUInt16BigEndian(to[UrgentAt..], 0);
        return length;
    }

    /// <summary>Changes the checksum in a written header.</summary>
    /// <param name="header">The header.</param>
    /// <param name="checksum">The field's value.</param>
    public static void SetChecksum(Span<byte> header, ushort checksum) =>
        BinaryPrimitives.WriteUInt16BigEndian(header[ChecksumAt..], checksum);
}
