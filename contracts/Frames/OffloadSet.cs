namespace NicHost.Contracts.Frames;

/// <summary>A set of abilities: what an endpoint takes or gives, and what a guest accepted.</summary>
[Flags]
public enum OffloadSet : uint
{
    /// <summary>None: every frame is one wire frame with complete checksums.</summary>
    None = 0,

    /// <summary>Frames with <see cref="ChecksumState.Partial"/> or <see cref="ChecksumState.Verified"/>.</summary>
    Checksum = 1 << 0,

    /// <summary><see cref="GsoKind.TcpV4"/> super-frames.</summary>
    TsoV4 = 1 << 1,

    /// <summary><see cref="GsoKind.TcpV6"/> super-frames.</summary>
    TsoV6 = 1 << 2,

    /// <summary>TCP super-frames that carry <see cref="FrameFlags.Ecn"/>.</summary>
    TsoEcn = 1 << 3,

    /// <summary><see cref="GsoKind.Udp"/> super-frames over IPv4.</summary>
    UsoV4 = 1 << 4,

    /// <summary><see cref="GsoKind.Udp"/> super-frames over IPv6.</summary>
    UsoV6 = 1 << 5,

    /// <summary>Out-of-band 802.1Q tags.</summary>
    Vlan = 1 << 6,

    /// <summary>IPv4 header checksums left open.</summary>
    Ipv4HeaderChecksum = 1 << 7,

    /// <summary>Flow hashes.</summary>
    Hash = 1 << 8,

    /// <summary>Every segmentation ability.</summary>
    AllGso = TsoV4 | TsoV6 | TsoEcn | UsoV4 | UsoV6,
}

/// <summary>Tests of flags that cost nothing, optimised or not.</summary>
public static class FrameFlagTests
{
    /// <summary>Whether <paramref name="set"/> holds all of <paramref name="wanted"/>.</summary>
    public static bool Has(this OffloadSet set, OffloadSet wanted) => (set & wanted) == wanted;

    /// <summary>Whether <paramref name="set"/> holds all of <paramref name="wanted"/>.</summary>
    public static bool Has(this FrameFlags set, FrameFlags wanted) => (set & wanted) == wanted;
}
