namespace NicHost.Contracts.Frames;

/// <summary>Bounds that both sides of the contract rely on.</summary>
public static class FrameLimits
{
    /// <summary>Bytes of an Ethernet header without a tag.</summary>
    public const int EthernetHeader = 14;

    /// <summary>The smallest MTU that a NIC takes (IPv4's minimum, RFC 791).</summary>
    public const int MinMtu = 68;

    /// <summary>The largest MTU that a NIC takes: 64 KiB less room for headers, a multiple of 8 (what loopback-like links use).</summary>
    public const int MaxMtu = 65520;

    /// <summary>The longest frame or super-frame in bytes: an Ethernet header with one tag and a full IP packet.</summary>
    public const int MaxFrame = 14 + 4 + 65535;

    /// <summary>The most segments of one transmitted frame. A device drops, with a count, what has more.</summary>
    public const int MaxTxSegments = 256;

    /// <summary>The most segments that <c>IDeviceQueue.Reserve</c> writes for one frame.</summary>
    public const int MaxRxSegments = 256;

    /// <summary>The most wire frames of one TCP super-frame: 64 KiB at the least MSS that a stack uses (8). More is dropped, with a count.</summary>
    public const int MaxTcpSegments = 8192;

    /// <summary>The most datagrams of one UDP super-frame; stacks send up to 128. More is dropped, with a count.</summary>
    public const int MaxUdpSegments = 512;

    /// <summary>The most frames in one <see cref="TxBatch"/>.</summary>
    public const int MaxBatch = 64;
}
