namespace NicHost.NetVsp.Rndis;

/// <summary>Receive-side scaling as the guest has set it: a key, which fields are hashed, and which channel each hash goes to.</summary>
internal sealed class RssTable(byte[] key, RssHashTypes types, byte[] channels)
{
    /// <summary>Bytes of the key.</summary>
    public const int KeySize = 40;

    /// <summary>Entries of the table that are taken, and told as the capability.</summary>
    public const int MaxEntries = 128;

    /// <summary>Which fields are hashed.</summary>
    public RssHashTypes Types => types;

    /// <summary>The key.</summary>
    public byte[] Key => key;

    /// <summary>A channel's index for each entry.</summary>
    public byte[] Channels => channels;

    /// <summary>The Toeplitz function of the key, by tables.</summary>
    public Toeplitz Hash { get; } = new(key);

    /// <summary>The channel for a hash.</summary>
    public int ChannelOf(uint hash) => channels[hash % (uint)channels.Length];
}

/// <summary>Which fields are hashed (NDIS hash types).</summary>
[Flags]
internal enum RssHashTypes : uint
{
    None = 0,
    Ipv4 = 0x100,
    TcpIpv4 = 0x200,
    Ipv6 = 0x400,
    Ipv6Ex = 0x800,
    TcpIpv6 = 0x1000,
    TcpIpv6Ex = 0x2000,
    UdpIpv4 = 0x4000,
    UdpIpv6 = 0x8000,
    UdpIpv6Ex = 0x10000,
}
