using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Core;

/// <summary>An Internet checksum (RFC 1071) that is gathered from pieces of any length, in any memory.</summary>
internal struct InternetSum
{
    private ChecksumParts _parts;

    /// <summary>The sum so far, not complemented: what the field of a partial checksum holds.</summary>
    public readonly ushort Folded => InternetChecksum.Fold(_parts.Sum);

    /// <summary>The checksum. 0 means that data with its checksum in place is intact.</summary>
    public readonly ushort Checksum => (ushort)~Folded;

    public void Add(ReadOnlySpan<byte> data) => _parts.Add(data);

    /// <summary>Adds <paramref name="length"/> bytes of a run of segments.</summary>
    public void Add(ReadOnlySpan<Segment> segments, int offset, int length)
    {
        foreach (ref readonly var segment in segments)
        {
            if (length == 0) return;
            if ((nuint)offset >= segment.Length) { offset -= (int)segment.Length; continue; }
            var take = Math.Min((int)segment.Length - offset, length);
            _parts.Add(segment.Span.Slice(offset, take));
            length -= take;
            offset = 0;
        }
    }

    /// <summary>Starts with the pseudo header of TCP, UDP or ICMPv6 (RFC 768, RFC 8200 8.1).</summary>
    public static InternetSum WithPseudoHeader(IpAddr source, IpAddr destination, byte protocol, int length) => new()
    {
        _parts = new ChecksumParts(source.IsV4
            ? InternetChecksum.PseudoHeader(source.V4, destination.V4, protocol, length)
            : InternetChecksum.PseudoHeader(source.V6, destination.V6, protocol, length)),
    };

    public static ushort Of(ReadOnlySpan<byte> data) => InternetChecksum.Compute(data);
}
