using NicHost.Contracts.Nics;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Driver;

/// <summary>What the probe guest is made from.</summary>
public sealed record GuestOptions
{
    /// <summary>How it attaches.</summary>
    public required FrontendOptions Frontend { get; init; }

    /// <summary>The NIC's address, which its VMM would know; null asks the configuration space.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The NIC's MTU; null asks the configuration space, else 1500.</summary>
    public int? Mtu { get; init; }

    /// <summary>Descriptors of each ring, a power of two.</summary>
    public int RingSize { get; init; } = 256;

    /// <summary>Bytes of a receive buffer; null takes what the features demand.</summary>
    public int? BufferSize { get; init; }

    /// <summary>Bytes of guest memory.</summary>
    public long MemorySize { get; init; } = 64 << 20;

    /// <summary>Regions that it is shown as.</summary>
    public int MemoryRegions { get; init; } = 2;

    /// <summary>How long to look for work before sleeping.</summary>
    public TimeSpan BusyPoll { get; init; }

    /// <summary>Ends every wait.</summary>
    public CancellationToken Cancellation { get; init; }
}
