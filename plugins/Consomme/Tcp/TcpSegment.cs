using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace NicHost.Consomme.Tcp;

/// <summary>A guest's TCP header with the options that matter, parsed from the private copy and checked against its bounds.</summary>
internal struct TcpSegment
{
    public const int MinHeader = 20;
    private const int MaxScale = 14;        // RFC 7323 2.3
    private const uint PlainTimestamps = 0x0101080a;

    public ushort SourcePort;
    public ushort DestinationPort;
    public uint Seq;
    public uint Ack;
    public ushort Window;
    public TcpFlags Flags;
    public int HeaderLength;
    public int PayloadLength;

    public bool HasTimestamps;
    public uint TsValue;
    public uint TsEcho;

    /// <summary>0 when the option is absent.</summary>
    public ushort MaxSegment;

    /// <summary>−1 when the option is absent.</summary>
    public int WindowScale;

    public bool SackPermitted;
    public int SackCount;
    public SackBlocks Sack;

    public readonly bool Has(TcpFlags flag) => (Flags & flag) != 0;

    /// <summary>Sequence numbers that the segment takes up.</summary>
    public readonly int Length => PayloadLength + (Has(TcpFlags.Syn) ? 1 : 0) + (Has(TcpFlags.Fin) ? 1 : 0);

    /// <param name="transport">The transport header and what of the payload was copied.</param>
    /// <param name="length">Bytes from the transport header to the end of the packet.</param>
    /// <returns>False when the header does not fit.</returns>
    [SkipLocalsInit]
    public static bool TryParse(ReadOnlySpan<byte> transport, int length, out TcpSegment segment)
    {
        segment = default;
        if (transport.Length < MinHeader || length < MinHeader) return false;
        var header = (transport[12] >> 4) * 4;
        if (header < MinHeader || header > length || header > transport.Length) return false;
        segment.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
        segment.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
        segment.Seq = BinaryPrimitives.ReadUInt32BigEndian(transport[4..]);
        segment.Ack = BinaryPrimitives.ReadUInt32BigEndian(transport[8..]);
        segment.Flags = (TcpFlags)transport[13];
        segment.Window = BinaryPrimitives.ReadUInt16BigEndian(transport[14..]);
        segment.HeaderLength = header;
        segment.PayloadLength = length - header;
        segment.WindowScale = -1;
        // What nearly every segment of a modern guest has: two paddings and the timestamps.
        if (header == 32 && BinaryPrimitives.ReadUInt32BigEndian(transport[20..]) == PlainTimestamps)
        {
            segment.HasTimestamps = true;
            segment.TsValue = BinaryPrimitives.ReadUInt32BigEndian(transport[24..]);
            segment.TsEcho = BinaryPrimitives.ReadUInt32BigEndian(transport[28..]);
            return true;
        }
        if (header > MinHeader) ParseOptions(transport[MinHeader..header], ref segment);
        return true;
    }

    /// <summary>An option with a wrong length ends the walk: the segment is used without what follows.</summary>
    private static void ParseOptions(ReadOnlySpan<byte> options, ref TcpSegment segment)
    {
        var syn = segment.Has(TcpFlags.Syn);
        while (!options.IsEmpty)
        {
            var kind = options[0];
            if (kind == TcpOptionKind.End) return;
            if (kind == TcpOptionKind.NoOperation) { options = options[1..]; continue; }
            if (options.Length < 2) return;
            int size = options[1];
            if (size < 2 || size > options.Length) return;
            var data = options[2..size];
            options = options[size..];
            switch (kind)
            {
                case TcpOptionKind.MaxSegment when syn && data.Length == 2:
                    segment.MaxSegment = BinaryPrimitives.ReadUInt16BigEndian(data);
                    break;
                case TcpOptionKind.WindowScale when syn && data.Length == 1:
                    segment.WindowScale = Math.Min(data[0], (byte)MaxScale);
                    break;
                case TcpOptionKind.SackPermitted when syn && data.IsEmpty:
                    segment.SackPermitted = true;
                    break;
                case TcpOptionKind.Timestamps when data.Length == 8:
                    segment.HasTimestamps = true;
                    segment.TsValue = BinaryPrimitives.ReadUInt32BigEndian(data);
                    segment.TsEcho = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
                    break;
                case TcpOptionKind.Sack when !syn && data.Length % 8 == 0:
                    for (; data.Length >= 8 && segment.SackCount < SackBlocks.Capacity; data = data[8..])
                    {
                        segment.Sack[segment.SackCount++] = new SackRange(
                            BinaryPrimitives.ReadUInt32BigEndian(data), BinaryPrimitives.ReadUInt32BigEndian(data[4..]));
                    }
                    break;
            }
        }
    }
}

/// <summary>Sequence numbers from <paramref name="Start"/> up to, without, <paramref name="End"/>.</summary>
internal readonly record struct SackRange(uint Start, uint End);

/// <summary>The blocks of one SACK option: four fit into a header.</summary>
[InlineArray(Capacity)]
internal struct SackBlocks
{
    public const int Capacity = 4;
    private SackRange _first;
}
