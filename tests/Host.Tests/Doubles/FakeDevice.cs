using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.Host.Tests.Doubles;

/// <summary>Makes devices that note what happens to them, in one list with the endpoints.</summary>
internal sealed class FakeDeviceFactory(ConcurrentQueue<string> events) : IDeviceFactory
{
    private readonly OptionsModel<FakeOptions> _options = new(FakeJson.Default.FakeOptions, FakeOptions.Validate);

    public OptionsModel Options => _options;

    /// <summary>Those that were started last, by NIC.</summary>
    public ConcurrentDictionary<NicIdentity, FakeDevice> Devices { get; } = new();

    /// <summary>Thrown by the next starts, one each.</summary>
    public ConcurrentQueue<Exception> StartFaults { get; } = new();

    public int QueueCount(DeviceContext context) => _options.Bind(context.Options).Queues;

    public bool CanReconfigure(DeviceContext running, DeviceContext wanted) =>
        _options.Bind(running.Options).DiffersInLabelOnly(_options.Bind(wanted.Options));

    public IReadOnlyList<ResourceClaim> Claims(DeviceContext context) =>
        _options.Bind(context.Options).Socket is { } path ? [new ResourceClaim($"socket {Path.GetFullPath(path, context.BaseDirectory)}", "$.socket")] : [];

    public IDevice Create(DeviceContext context) => new FakeDevice(this, context, events);
}

internal sealed class FakeDevice(FakeDeviceFactory factory, DeviceContext context, ConcurrentQueue<string> events) : IDevice
{
    private int _inspections;

    public IReadOnlyList<AttachHint> AttachHints => [new AttachHint("Test", $"--nic {context.Nic}")];

    public INicBackend? Backend { get; private set; }

    /// <summary>What its disposal waits for.</summary>
    public Task Disposal { get; set; } = Task.CompletedTask;

    public IEventLoop Loop => context.Loop;

    public IMeterFactory? Meters => context.Meters;

    public void Start(INicBackend backend)
    {
        Assert.True(context.Loop.IsCurrent);
        events.Enqueue($"{context.Nic} device start, link {(backend.Link.IsUp ? "up" : "down")}");
        Backend = backend;
        factory.Devices[context.Nic] = this;
        if (factory.StartFaults.TryDequeue(out var fault)) throw fault;
    }

    public void SetLink(LinkState link)
    {
        Assert.True(context.Loop.IsCurrent);
        events.Enqueue($"{context.Nic} link {(link.IsUp ? "up" : "down")}");
    }

    public void Reconfigure(DeviceContext wanted)
    {
        Assert.True(context.Loop.IsCurrent);
        events.Enqueue($"{context.Nic} device is {wanted.Options.GetProperty("label")}");
    }

    /// <summary>How often it was inspected.</summary>
    public int Inspections => Volatile.Read(ref _inspections);

    public void Inspect(InspectWriter writer)
    {
        writer.Value("started", Backend is not null);
        Interlocked.Increment(ref _inspections);
    }

    public ValueTask DisposeAsync()
    {
        if (Backend is not null) events.Enqueue($"{context.Nic} device disposed");
        return new ValueTask(Disposal);
    }
}
