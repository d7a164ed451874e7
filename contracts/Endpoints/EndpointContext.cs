using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Endpoints;

/// <summary>What an endpoint is made from.</summary>
public sealed record EndpointContext
{
    /// <summary>Whose NIC it is.</summary>
    public required NicIdentity Nic { get; init; }

    /// <summary>The guest's address on this NIC.</summary>
    public required MacAddress Mac { get; init; }

    /// <summary>The MTU in bytes: the largest IP packet, without the Ethernet header.</summary>
    public required int Mtu { get; init; }

    /// <summary>The <c>endpoint</c> object of the topology, <c>kind</c> included; checked before by the factory's options model.</summary>
    public required JsonElement Options { get; init; }

    /// <summary>Folder of the topology file: relative paths in options are relative to it.</summary>
    public required string BaseDirectory { get; init; }

    /// <summary>The NIC's first loop.</summary>
    public required IEventLoop Loop { get; init; }

    /// <summary>Where logs go. Categories are made by name.</summary>
    public required ILoggerFactory Logging { get; init; }

    /// <summary>
    /// Where the plugin's own meters are made (the host exports them with the NIC's name as tag <c>nic</c> and disposes them with the
    /// NIC); null on a host older than 1.1.
    /// </summary>
    public IMeterFactory? Meters { get; init; }
}
