using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Consomme.Core;

/// <summary>
/// One frame from the guest while it is dealt with. <see cref="Headers"/> is a private copy of its first bytes: whatever is checked
/// there cannot change under us. The payload stays in guest memory and is read only by the kernel, or by a handler that copies it first.
/// </summary>
internal ref struct GuestFrame
{
    /// <summary>Bytes of the private copy: enough for Ethernet, tag, the longest IPv4 header or IPv6 with extensions, and TCP with options.</summary>
    public const int HeaderCapacity = 256;

    /// <summary>The copy: the first min(<see cref="Length"/>, <see cref="HeaderCapacity"/>) bytes.</summary>
    public Span<byte> Headers;

    /// <summary>All segments of the frame, in guest memory.</summary>
    public ReadOnlySpan<Segment> Segments;

    /// <summary>Length of the whole frame in bytes.</summary>
    public int Length;

    public FrameOffload Offload;

    /// <summary>Index of the queue that it came from: answers go there.</summary>
    public int Queue;

    /// <summary>Offset of the IP header.</summary>
    public int NetworkOffset;

    /// <summary>Offset of the transport header.</summary>
    public int TransportOffset;

    /// <summary>Bytes from the transport header to the end of the IP packet (not of the frame: that may be padded).</summary>
    public int TransportLength;

    /// <summary>IP protocol number of the transport header (IPv6: after the extension headers).</summary>
    public byte Protocol;

    /// <summary>Hop limit or TTL.</summary>
    public byte HopLimit;

    /// <summary>Traffic class or TOS byte.</summary>
    public byte TrafficClass;

    /// <summary>The guest forbids routers to fragment it: IPv4 with DF, or IPv6 in one piece.</summary>
    public bool DontFragment;

    public IpAddr Source;

    public IpAddr Destination;

    public readonly bool IsV4 => Source.IsV4;

    /// <summary>The transport header and what of the payload lies in the private copy.</summary>
    public readonly Span<byte> Transport => Headers.Slice(TransportOffset, Math.Min(TransportLength, Headers.Length - TransportOffset));

    /// <summary>The packet from its IP header on, as far as the private copy goes (for ICMP errors).</summary>
    public readonly Span<byte> Network => Headers[NetworkOffset..];
}
