using NicHost.Contracts.Nics;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <summary>The NIC that the probe attaches to, and what is known of its endpoint.</summary>
public sealed record ProbeTarget
{
    /// <summary>The NIC's name, for the headline: <c>web/eth0</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Path of its socket.</summary>
    public required string Socket { get; init; }

    /// <summary>Whether a VMBus is served there (a netvsp device), and not vhost-user.</summary>
    public bool IsVmbus { get; init; }

    /// <summary>Whether the probe has to listen there, because the host connects (client mode).</summary>
    public bool Listen { get; init; }

    /// <summary>The guest's address.</summary>
    public required MacAddress Mac { get; init; }

    /// <summary>The MTU.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Queue pairs.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>Whether the gateway's address leads to the host's loopback: only then can the probe reach services of its own.</summary>
    public bool HostLoopback { get; init; }

    /// <summary>The name to ask DNS for; null asks for <c>localhost</c> and takes any answer.</summary>
    public string? DnsName { get; init; }

    /// <summary>An address to take without asking, where no DHCP answers: then only <see cref="Peer"/> is checked.</summary>
    public GuestAddress? Address { get; init; }

    /// <summary>With <see cref="Address"/>: whom to ping. Null: the guest answers pings itself, until it is stopped.</summary>
    public Ip? Peer { get; init; }

    /// <summary>The longest that one check may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
