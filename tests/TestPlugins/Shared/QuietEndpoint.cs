using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.TestPlugins;

/// <summary>As the built-in null endpoint: link up, takes every frame, gives none. Test endpoints differ from it in one thing each.</summary>
internal abstract class QuietEndpoint : IEndpoint
{
    private const OffloadSet Everything = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Vlan | OffloadSet.Ipv4HeaderChecksum;

    public EndpointCapabilities Capabilities { get; } = new() { TxAccepts = Everything, RxGives = Everything, MaxQueues = 64 };

    public LinkState Link => LinkState.Up10G;

    public virtual void Start(IEndpointHost host) { }

    public virtual void Reconfigure(EndpointContext wanted) => throw new NotSupportedException();

    public virtual void Inspect(InspectWriter writer) { }

    public ValueTask DisposeAsync() => StopAsync();

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => new Queue();

    protected virtual ValueTask StopAsync() => ValueTask.CompletedTask;

    private sealed class Queue : IEndpointQueue
    {
        public int Transmit(in TxBatch batch) => batch.Frames.Length;

        public void ReceiveReady() { }

        public void Close() { }
    }
}
