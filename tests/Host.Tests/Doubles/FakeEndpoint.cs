using System.Collections.Concurrent;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.Host.Tests.Doubles;

internal sealed class FakeEndpointFactory(ConcurrentQueue<string> events, QueueThreading threading = QueueThreading.LoopPerQueue) : IEndpointFactory
{
    public OptionsModel Options { get; } = new OptionsModel<FakeOptions>(FakeJson.Default.FakeOptions, FakeOptions.Validate);

    public ConcurrentDictionary<NicIdentity, FakeEndpoint> Endpoints { get; } = new();

    public IEndpoint Create(EndpointContext context) => Endpoints[context.Nic] = new FakeEndpoint(context, events, threading);
}

internal sealed class FakeEndpoint(EndpointContext context, ConcurrentQueue<string> events, QueueThreading threading) : IEndpoint
{
    private bool _started;

    public EndpointCapabilities Capabilities { get; } = new() { MaxMtu = 9000, MaxQueues = 4, Threading = threading, RxGives = OffloadSet.Checksum | OffloadSet.TsoV4 };

    public LinkState Link { get; set; } = LinkState.Up10G;

    public IEndpointHost? Host { get; private set; }

    public EndpointQueueConfig? LastQueue { get; private set; }

    public int Taken { get; private set; }

    public void Start(IEndpointHost host)
    {
        Assert.True(context.Loop.IsCurrent);
        _started = true;
        Host = host;
        events.Enqueue($"{context.Nic} endpoint start");
    }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        LastQueue = config;
        return new Queue(this);
    }

    public void Inspect(InspectWriter writer) => writer.Value("taken", Taken);

    public ValueTask DisposeAsync()
    {
        if (_started) events.Enqueue($"{context.Nic} endpoint disposed");
        return ValueTask.CompletedTask;
    }

    private sealed class Queue(FakeEndpoint endpoint) : IEndpointQueue
    {
        public int Transmit(in TxBatch batch)
        {
            endpoint.Taken += batch.Frames.Length;
            return batch.Frames.Length;
        }

        public void ReceiveReady() { }

        public void Close() { }
    }
}
