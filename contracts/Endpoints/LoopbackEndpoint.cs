using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Offload;
using NicHost.Contracts.Options;

namespace NicHost.Contracts.Endpoints;

/// <summary>Makes endpoints that give every frame back on the queue that it came from.</summary>
[EndpointKind("loopback")]
public sealed class LoopbackEndpointFactory : IEndpointFactory
{
    /// <inheritdoc/>
    public OptionsModel Options { get; } = new OptionsModel<NoOptions>(BuiltInJson.Default.NoOptions);

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context) => new LoopbackEndpoint();
}

/// <summary>
/// Gives frames back as they came. What the guest did not accept to receive (super-frames, open checksums) is done in software, so
/// a guest that sends TSO without taking it gets wire frames.
/// </summary>
internal sealed class LoopbackEndpoint : IEndpoint
{
    private const OffloadSet Everything = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Vlan;

    public EndpointCapabilities Capabilities { get; } = new() { TxAccepts = Everything, RxGives = Everything, MaxQueues = 64 };

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host) { }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => new Queue(config);

    public void Inspect(InspectWriter writer) { }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Queue(EndpointQueueConfig config) : IEndpointQueue
    {
        private readonly SoftwareReceiver _receiver = new(config);
        private bool _stalled;
        private bool _closed;

        public int Transmit(in TxBatch batch)
        {
            if (_closed) return batch.Frames.Length;
            var taken = 0;
            foreach (ref readonly var frame in batch.Frames)
            {
                if (!_receiver.Deliver(batch.SegmentsOf(frame), frame.Length, frame.Offload)) break;
                taken++;
            }
            if (taken > 0) config.Device.Flush();
            _stalled = taken < batch.Frames.Length;
            return taken;
        }

        public void ReceiveReady()
        {
            if (!_stalled || _closed) return;
            _stalled = false;
            config.Device.TransmitReady();
        }

        public void Close() => _closed = true;
    }
}
