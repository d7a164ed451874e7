using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Tcp;

/// <content>Headers of data frames, written into guest memory after the payload is there.</content>
internal sealed partial class TcpProtocol
{
    private const int TcpChecksumOffset = 16;

    [SkipLocalsInit]
    private FrameOffload WriteDataHeaders(
        TcpFlow flow, ReadOnlySpan<Segment> segments, int header, int payload, uint seq, bool push, OffloadSet accepted)
    {
        Span<byte> headers = stackalloc byte[FrameLayout.MaxHeaders];
        headers = headers[..header];
        var start = FrameLayout.Ethernet + FrameLayout.IpHeader(flow.IsV4);
        var tcpHeader = header - start;
        FrameLayout.WriteIp(headers, _context.Network, flow.Key, flow.PseudoSum, tcpHeader + payload);
        var tcp = headers[start..];
        var flags = push ? TcpFlags.Ack | TcpFlags.Psh : TcpFlags.Ack;
        FrameLayout.WriteTcp(tcp, flow.Key, flow.PseudoSum, seq, flow.RcvNxt, flags, WindowField(flow, syn: false), tcpHeader, tcpHeader + payload);
        if (flow.Timestamps) FrameLayout.WriteTimestamps(tcp[FrameLayout.TcpHeader..], TimestampNow(flow), flow.TsRecent);
        var offload = default(FrameOffload);
        if ((accepted & OffloadSet.Checksum) == 0) Complete(tcp, segments, header, payload);
        else
        {
            offload.Checksum = ChecksumState.Partial;
            offload.ChecksumStart = (ushort)start;
            offload.ChecksumOffset = TcpChecksumOffset;
            offload.HeaderLength = (ushort)header;
        }
        if (payload > flow.Mss)
        {
            offload.Gso = flow.IsV4 ? GsoKind.TcpV4 : GsoKind.TcpV6;
            offload.SegmentSize = (ushort)flow.Mss;
        }
        SegmentOps.CopyFrom(segments, 0, headers);
        return offload;
    }

    /// <summary>
    /// For a guest that wants whole checksums: the payload is summed where it lies. The guest may change its own memory meanwhile and
    /// harms only itself.
    /// </summary>
    private static void Complete(Span<byte> tcp, ReadOnlySpan<Segment> segments, int offset, int length)
    {
        // The pseudo header's sum stands in the checksum field already.
        var sum = InternetChecksum.Add(0, tcp);
        var odd = false;
        foreach (ref readonly var segment in segments)
        {
            if (length == 0) break;
            if ((nuint)offset >= segment.Length)
            {
                offset -= (int)segment.Length;
                continue;
            }
            var piece = segment.Span.Slice(offset, Math.Min((int)segment.Length - offset, length));
            uint part = InternetChecksum.Fold(InternetChecksum.Add(0, piece));
            // RFC 1071 2 (B): a piece that starts at an odd place has its bytes exchanged.
            sum += odd ? BinaryPrimitives.ReverseEndianness((ushort)part) : part;
            odd ^= (piece.Length & 1) != 0;
            length -= piece.Length;
            offset = 0;
        }
        BinaryPrimitives.WriteUInt16BigEndian(tcp[TcpChecksumOffset..], (ushort)~InternetChecksum.Fold(sum));
    }
}
