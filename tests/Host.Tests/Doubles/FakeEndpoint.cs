using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.Host.Tests.Doubles;

internal sealed class FakeEndpointFactory(ConcurrentQueue<string> events, QueueThreading threading = QueueThreading.LoopPerQueue) : IEndpointFactory
{
    private readonly OptionsModel<FakeOptions> _options = new(FakeJson.Default.FakeOptions, FakeOptions.Validate);

    public OptionsModel Options => _options;

    /// <summary>Labels that a start or a change is refused with, and why.</summary>
    public ConcurrentDictionary<string, string> Refusals { get; } = new();

    /// <summary>What endpoints take from the guest, if not everything.</summary>
    public OffloadSet TxAccepts { get; set; }

    public bool CanReconfigure(EndpointContext running, EndpointContext wanted) =>
        _options.Bind(running.Options).DiffersInLabelOnly(_options.Bind(wanted.Options));

    /// <summary>Whether a label is something that only one NIC can have, as a port is.</summary>
    public bool LabelsAreExclusive { get; set; }

    private ConcurrentDictionary<string, NicIdentity> Holders { get; } = new();

    /// <summary>Gives a NIC the label it wants, or throws.</summary>
    public void Take(EndpointContext context)
    {
        var label = _options.Bind(context.Options).Label;
        if (Refusals.TryGetValue(label, out var reason)) throw new IOException(reason);
        if (!LabelsAreExclusive) return;
        if (Holders.GetOrAdd(label, context.Nic) != context.Nic) throw new IOException($"{label} is taken.");
        foreach (var held in Holders.Where(held => held.Value == context.Nic && held.Key != label)) Holders.TryRemove(held);
    }

    /// <summary>Those that were started last, by NIC.</summary>
    public ConcurrentDictionary<NicIdentity, FakeEndpoint> Endpoints { get; } = new();

    public IEndpoint Create(EndpointContext context) => new FakeEndpoint(this, context, events, threading);
}

internal sealed class FakeEndpoint(FakeEndpointFactory factory, EndpointContext context, ConcurrentQueue<string> events, QueueThreading threading) : IEndpoint
{
    private bool _started;

    public EndpointCapabilities Capabilities { get; } = new() { MaxMtu = 9000, MaxQueues = 4, Threading = threading, RxGives = OffloadSet.Checksum | OffloadSet.TsoV4, TxAccepts = factory.TxAccepts };

    public LinkState Link { get; set; } = LinkState.Up10G;

    public IEndpointHost? Host { get; private set; }

    public IMeterFactory? Meters => context.Meters;

    public EndpointQueueConfig? LastQueue { get; private set; }

    public int Taken { get; private set; }

    /// <summary>What it was told of the cable, in turn.</summary>
    public ConcurrentQueue<bool> Cable { get; } = new();

    public void ShowLink(bool isUp)
    {
        Assert.True(_started && context.Loop.IsCurrent);
        Cable.Enqueue(isUp);
    }

    public void Start(IEndpointHost host)
    {
        Assert.True(context.Loop.IsCurrent);
        factory.Take(context);
        _started = true;
        factory.Endpoints[context.Nic] = this;
        Host = host;
        events.Enqueue($"{context.Nic} endpoint start");
    }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        LastQueue = config;
        return new Queue(this);
    }

    public void Reconfigure(EndpointContext wanted)
    {
        Assert.True(context.Loop.IsCurrent);
        factory.Take(wanted);
        events.Enqueue($"{context.Nic} endpoint is {wanted.Options.GetProperty("label")}");
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
