using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Rndis;

namespace NicHost.NetVsp.Net;

/// <summary>
/// What the guest has set through RNDIS, as the queues need it. Immutable and replaced whole, so that a queue on another loop reads it without
/// a lock and a change stops nobody.
/// </summary>
internal sealed record GuestSettings
{
    /// <summary>Before RNDIS is up, and after a halt: nothing passes.</summary>
    public static GuestSettings Down { get; } = new();

    /// <summary>Whether RNDIS is initialized.</summary>
    public bool IsUp { get; init; }

    /// <summary>Which frames it wants.</summary>
    public PacketFilter Filter { get; init; }

    /// <summary>Its address, which it may change.</summary>
    public MacAddress Mac { get; init; }

    /// <summary>Multicast groups that it joined.</summary>
    public IReadOnlyList<MacAddress> Multicast { get; init; } = [];

    /// <summary>What it may leave to us.</summary>
    public OffloadSet TxOffloads { get; init; }

    /// <summary>What it takes from us.</summary>
    public OffloadSet RxOffloads { get; init; }

    /// <summary>How received frames spread over its channels; null when they do not.</summary>
    public RssTable? Rss { get; init; }

    /// <summary>Whether a frame to this address is wanted.</summary>
    public bool Wants(MacAddress destination)
    {
        var filter = Filter;
        if ((filter & PacketFilter.Promiscuous) != 0) return true;
        if (!destination.IsGroup) return (filter & PacketFilter.Directed) != 0 && destination == Mac;
        if (destination.Value == 0xffff_ffff_ffff) return (filter & PacketFilter.Broadcast) != 0;
        if ((filter & PacketFilter.AllMulticast) != 0) return true;
        if ((filter & PacketFilter.Multicast) == 0) return false;
        foreach (var group in Multicast)
        {
            if (group == destination) return true;
        }
        return false;
    }
}

/// <summary>Bits of OID_GEN_CURRENT_PACKET_FILTER that mean something here.</summary>
[Flags]
internal enum PacketFilter : uint
{
    None = 0,
    Directed = 1,
    Multicast = 2,
    AllMulticast = 4,
    Broadcast = 8,
    Promiscuous = 0x20,
}
