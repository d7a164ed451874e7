using System.Runtime.InteropServices;

namespace NicHost.Contracts.Frames;

/// <summary>What is known of a frame's TCP or UDP checksum.</summary>
public enum ChecksumState : byte
{
    /// <summary>The checksum field is complete; nobody has checked it.</summary>
    Unknown,

    /// <summary>Checked, or vouched for by whoever built the frame; the field itself may hold anything in a merged super-frame.</summary>
    Verified,

    /// <summary>
    /// To be completed: the field holds the sum of the pseudo header (not complemented); sum from
    /// <see cref="FrameOffload.ChecksumStart"/> to the end of the frame, store at start + <see cref="FrameOffload.ChecksumOffset"/>.
    /// </summary>
    Partial,
}

/// <summary>How a super-frame divides into wire frames.</summary>
public enum GsoKind : byte
{
    /// <summary>One wire frame.</summary>
    None,

    /// <summary>TCP over IPv4.</summary>
    TcpV4,

    /// <summary>TCP over IPv6.</summary>
    TcpV6,

    /// <summary>UDP over either IP version: each segment becomes a datagram of its own.</summary>
    Udp,
}

/// <summary>Further facts in a <see cref="FrameOffload"/>.</summary>
[Flags]
public enum FrameFlags : byte
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A TCP super-frame carries CWR: it belongs on the first wire frame only (ECN, RFC 3168).</summary>
    Ecn = 1,

    /// <summary><see cref="FrameOffload.VlanTci"/> holds an 802.1Q tag which is not in the frame's bytes.</summary>
    Vlan = 2,

    /// <summary>The IPv4 header's checksum is still to be computed (NDIS senders ask for that).</summary>
    Ipv4HeaderChecksum = 4,

    /// <summary><see cref="FrameOffload.Hash"/> holds the Toeplitz hash of the flow.</summary>
    Hash = 8,
}

/// <summary>
/// What one frame leaves for the other side to do, in one neutral record for both directions and for every device and endpoint.
/// </summary>
/// <remarks>All offsets count bytes from the first byte of the Ethernet header.</remarks>
[StructLayout(LayoutKind.Sequential)]
public struct FrameOffload
{
    /// <summary>State of the transport checksum.</summary>
    public ChecksumState Checksum;

    /// <summary>Kind of super-frame.</summary>
    public GsoKind Gso;

    /// <summary>Further facts.</summary>
    public FrameFlags Flags;

    /// <summary>Where the checksum's sum starts: the transport header. With <see cref="ChecksumState.Partial"/>.</summary>
    public ushort ChecksumStart;

    /// <summary>Where the checksum is stored, counted from <see cref="ChecksumStart"/>: 16 in TCP, 6 in UDP.</summary>
    public ushort ChecksumOffset;

    /// <summary>Payload bytes of each wire frame (the MSS, for UDP the datagram's payload); not 0 when <see cref="Gso"/> is set.</summary>
    public ushort SegmentSize;

    /// <summary>Bytes of all headers up to the payload. A hint from the guest: a receiver parses for itself.</summary>
    public ushort HeaderLength;

    /// <summary>802.1Q tag control information, host byte order.</summary>
    public ushort VlanTci;

    /// <summary>Flow hash.</summary>
    public uint Hash;
}
