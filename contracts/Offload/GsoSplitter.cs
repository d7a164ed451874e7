using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Wire;

namespace NicHost.Contracts.Offload;

/// <summary>
/// Divides a super-frame into wire frames: for each it gives finished headers (lengths, IPv4 identification and checksum, TCP sequence
/// number and flags) and the run of payload that belongs to it. The transport checksum field holds the pseudo header's sum, as
/// <see cref="ChecksumState.Partial"/> has it, for the caller to complete or to pass on.
/// </summary>
/// <remarks>The same work as a NIC's segmentation offload: virtio 1.2 5.1.6.2, RFC 9293 3.4, RFC 3168 6.1.2 (CWR once).</remarks>
public ref struct GsoSplitter
{
    private const byte Fin = 0x01, Psh = 0x08, Cwr = 0x80;
    private readonly Span<byte> _headers;
    private readonly FrameHeaders _layout;
    private readonly int _frameLength;
    private readonly int _segmentSize;
    private readonly uint _sequence;
    private readonly ushort _identification;
    private readonly byte _flags;
    private int _index;

    private GsoSplitter(Span<byte> headers, FrameHeaders layout, int frameLength, int segmentSize)
    {
        _headers = headers[..layout.Payload];
        _layout = layout;
        _frameLength = frameLength;
        _segmentSize = segmentSize;
        _index = -1;
        if (layout.IsV4) _identification = BinaryPrimitives.ReadUInt16BigEndian(headers[(layout.Network + 4)..]);
        if (layout.Protocol != FrameHeaders.Tcp) return;
        _sequence = BinaryPrimitives.ReadUInt32BigEndian(headers[(layout.Transport + 4)..]);
        _flags = headers[layout.Transport + 13];
    }

    /// <summary>Bytes of a frame's start to copy for <see cref="TryStart"/>.</summary>
    public const int HeaderCapacity = FrameHeaders.Capacity;

    /// <summary>Offset of the transport header.</summary>
    public readonly int ChecksumStart => _layout.Transport;

    /// <summary>Offset of the checksum in the transport header.</summary>
    public readonly int ChecksumOffset => _layout.Protocol == FrameHeaders.Tcp ? 16 : 6;

    /// <summary>The present wire frame's headers; valid until the next step.</summary>
    public readonly ReadOnlySpan<byte> Headers => _headers;

    /// <summary>Where the present wire frame's payload starts in the super-frame.</summary>
    public readonly int PayloadOffset => _layout.Payload + (_index * _segmentSize);

    /// <summary>Bytes of the present wire frame's payload.</summary>
    public readonly int PayloadLength => Math.Min(_segmentSize, _frameLength - PayloadOffset);

    /// <summary>Bytes of a full wire frame, headers and payload.</summary>
    public readonly int WireLength => _headers.Length + Math.Min(_segmentSize, _frameLength - _layout.Payload);

    /// <summary>How many wire frames there are.</summary>
    public readonly int Count => Math.Max(1, (_frameLength - _layout.Payload + _segmentSize - 1) / _segmentSize);

    /// <summary>Begins to divide a frame.</summary>
    /// <param name="headers">A private, writable copy of the frame's first bytes (up to <see cref="HeaderCapacity"/>); changed on the way.</param>
    /// <param name="frameLength">Bytes of the whole frame.</param>
    /// <param name="offload">Its record; the GSO kind must match what the headers say.</param>
    /// <param name="splitter">Stands before the first wire frame.</param>
    /// <returns>False when the headers are malformed or contradict the record, or there would be too many wire frames.</returns>
    public static bool TryStart(Span<byte> headers, int frameLength, in FrameOffload offload, out GsoSplitter splitter)
    {
        splitter = default;
        if (offload.Gso == GsoKind.None || offload.SegmentSize == 0 || !FrameHeaders.TryParse(headers, out var layout)) return false;
        var fits = offload.Gso switch
        {
            GsoKind.TcpV4 => layout.IsV4 && layout.Protocol == FrameHeaders.Tcp,
            GsoKind.TcpV6 => !layout.IsV4 && layout.Protocol == FrameHeaders.Tcp,
            _ => layout.Protocol == FrameHeaders.Udp,
        };
        if (!fits || frameLength < layout.Payload) return false;
        splitter = new GsoSplitter(headers, layout, frameLength, offload.SegmentSize);
        // A guest that asks for single bytes would keep its loop, and whoever shares it, busy for a long time with one frame.
        return splitter.Count <= (offload.Gso == GsoKind.Udp ? FrameLimits.MaxUdpSegments : FrameLimits.MaxTcpSegments);
    }

    /// <summary>Steps to the next wire frame; false after the last.</summary>
    public bool MoveNext()
    {
        if (_index + 1 >= Count) return false;
        _index++;
        var transportLength = _headers.Length - _layout.Transport + PayloadLength;
        WriteNetwork(transportLength);
        if (_layout.Protocol == FrameHeaders.Tcp) WriteTcp();
        else BinaryPrimitives.WriteUInt16BigEndian(_headers[(_layout.Transport + 4)..], (ushort)transportLength);
        WritePseudoSum(transportLength);
        return true;
    }

    private readonly void WriteNetwork(int transportLength)
    {
        var network = _headers[_layout.Network.._layout.Transport];
        if (!_layout.IsV4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(network[4..], (ushort)(network.Length - 40 + transportLength));
            return;
        }
        BinaryPrimitives.WriteUInt16BigEndian(network[2..], (ushort)(network.Length + transportLength));
        BinaryPrimitives.WriteUInt16BigEndian(network[4..], (ushort)(_identification + _index));
        network[10..12].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(network[10..], (ushort)~InternetChecksum.Fold(InternetChecksum.Add(0, network)));
    }

    private readonly void WriteTcp()
    {
        var tcp = _headers[_layout.Transport..];
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], _sequence + (uint)(_index * _segmentSize));
        var flags = _flags;
        if (_index + 1 < Count) flags &= unchecked((byte)~(Fin | Psh));
        if (_index > 0) flags &= unchecked((byte)~Cwr);
        tcp[13] = flags;
    }

    private readonly void WritePseudoSum(int transportLength)
    {
        var addresses = _layout.IsV4 ? _headers.Slice(_layout.Network + 12, 8) : _headers.Slice(_layout.Network + 8, 32);
        var sum = InternetChecksum.Add((uint)(_layout.Protocol + transportLength), addresses);
        BinaryPrimitives.WriteUInt16BigEndian(_headers[(_layout.Transport + ChecksumOffset)..], InternetChecksum.Fold(sum));
    }
}
