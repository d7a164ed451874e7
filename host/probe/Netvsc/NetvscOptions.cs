using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Netvsc;

/// <summary>What the guest's network driver is made from.</summary>
public sealed record NetvscOptions
{
    /// <summary>Path of the VMBus socket.</summary>
    public required string Socket { get; init; }

    /// <summary>Which card, when there are several on the bus: its permanent address; null takes the first.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The MTU to ask for; null takes what the host says.</summary>
    public int? Mtu { get; init; }

    /// <summary>Channels wanted.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>Offloads wanted, both ways, where they are offered.</summary>
    public OffloadSet Offloads { get; init; } = OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6;

    /// <summary>NVSP versions to try, in this order.</summary>
    public IReadOnlyList<uint> NvspVersions { get; init; } = [0x60001, 0x60000, 0x50000, 0x40000, 0x30002, 2];

    /// <summary>The VMBus version.</summary>
    public uint VmbusVersion { get; init; } = VmbusClient.Newest;

    /// <summary>Bytes of the receive buffer.</summary>
    public int ReceiveBuffer { get; init; } = 8 << 20;

    /// <summary>Bytes of the send buffer.</summary>
    public int SendBuffer { get; init; } = 1 << 20;

    /// <summary>Pages of each ring, control page included.</summary>
    public int RingPages { get; init; } = 64;

    /// <summary>Bytes of guest memory.</summary>
    public long MemorySize { get; init; } = 64 << 20;

    /// <summary>Regions that it is shown as.</summary>
    public int MemoryRegions { get; init; } = 2;

    /// <summary>Whether the buffers' pages are described in a scattered order, as a kernel's vmalloc gives them.</summary>
    public bool Scattered { get; init; }

    /// <summary>Whether signals are messages instead of eventfds.</summary>
    public bool InBand { get; init; }

    /// <summary>The packet filter to set at the end; 0 leaves the card deaf.</summary>
    public uint Filter { get; init; } = 0x20;

    /// <summary>How long to wait for the host.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Ends every wait of a guest made with it.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>How long a guest looks for work before sleeping.</summary>
    public TimeSpan BusyPoll { get; init; }
}
