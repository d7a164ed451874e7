using NicHost.Consomme.Core;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme;

/// <summary>One open queue: a door to the NAT, which all queues of the NIC share.</summary>
internal sealed class ConsommeQueue(Nat nat, GuestPort port, EndpointQueueConfig config) : IEndpointQueue
{
    private bool _closed;

    public int Transmit(in TxBatch batch)
    {
        if (_closed) return 0;
        nat.Batch(batch, config.Index, config.Counters);
        return batch.Frames.Length;
    }

    public void ReceiveReady()
    {
        if (!_closed) port.ReceiveReady(config.Index);
    }

    public void Close()
    {
        if (_closed) return;
        _closed = true;
        port.Close(config.Index);
    }
}
