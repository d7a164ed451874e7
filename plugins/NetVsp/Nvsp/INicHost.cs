using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Net;

namespace NicHost.NetVsp.Nvsp;

/// <summary>The NIC, as its control side sees it. On the first loop.</summary>
internal interface INicHost
{
    MacAddress Mac { get; }

    /// <summary>The topology's: what the endpoint may send at most.</summary>
    int Mtu { get; }

    LinkState Link { get; }

    /// <summary>Channels that there may be.</summary>
    int MaxQueues { get; }

    EndpointCapabilities Endpoint { get; }

    /// <summary>The newest NVSP version spoken.</summary>
    uint MaxVersion { get; }

    QueueCounters Counters(int queue);

    GpaPages? FindBuffer(uint handle);

    /// <summary>Gives all queues other buffers; the primary one has them at the return, the others when <paramref name="applied"/> is called.</summary>
    void Apply(BufferSet buffers, Action applied);

    /// <summary>Gives all queues other settings.</summary>
    void Apply(GuestSettings settings);

    /// <summary>Answers a packet of the primary channel.</summary>
    void Complete(ulong transaction, ReadOnlySpan<byte> message);

    /// <summary>Sends an RNDIS message to the guest.</summary>
    void SendRndis(byte[] message);

    /// <summary>Sends an NVSP message that asks for nothing.</summary>
    void SendMessage(ReadOnlySpan<byte> message);

    /// <summary>Offers subchannels.</summary>
    bool OfferSubchannels(int count);
}
