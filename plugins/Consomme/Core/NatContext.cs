using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;

namespace NicHost.Consomme.Core;

/// <summary>What every protocol handler of one NIC works with.</summary>
internal sealed class NatContext
{
    public required Network Network { get; init; }

    public required IGuestPort Port { get; init; }

    public required IEventLoop Loop { get; init; }

    public required IIcmpErrors Icmp { get; init; }

    /// <summary>The options in force. Set by <see cref="Nat.Reconfigure"/> alone, on the loop.</summary>
    public required NatModel Model { get; set; }

    /// <summary>Where forwards lead to: <see cref="GuestAddresses.Target"/>.</summary>
    public required GuestAddresses GuestAddresses { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Where instruments are made; null on a host older than 1.1.</summary>
    public IMeterFactory? Meters { get; init; }

    /// <summary>Records a trouble of the host's side, for the operator.</summary>
    public required Action<string> ReportTrouble { get; init; }
}
