using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>
/// One life of a NIC: a device, and the endpoint that it is plugged into, on their loops. The endpoint may be changed for another; a
/// fault of either ends the life, and the NIC's next one is a new object.
/// </summary>
internal sealed partial class NicRun
{
    private readonly TaskCompletionSource<Exception> _fault;
    private readonly LoopPool _pool;
    private readonly ILoggerFactory _logging;
    private readonly IVmScope _vm;
    private readonly NicMeters _meters;
    private readonly IDevice _device;
    private readonly EventLoop[] _threads;
    private readonly NicLoop[] _loops;
    private readonly TrackedQueue?[] _queues;
    private volatile EndpointRun? _endpoint;

    private NicRun(NicModel model, NicRecord record, LoopPool pool, ILoggerFactory logging, IVmScope vm, TaskCompletionSource<Exception> fault, NicLoop first, EndpointRun endpoint)
    {
        (Model, Record, _pool, _logging, _vm, _fault, _endpoint) = (model, record, pool, logging, vm, fault, endpoint);
        _meters = new NicMeters(model.Identity);
        var context = NicContexts.Device(model, first, logging, vm, _meters);
        _device = _meters.Make(() => model.Device.Factory.Create(context));
        MaxQueues = Math.Max(1, Math.Min(model.Device.Factory.QueueCount(context), endpoint.Capabilities.MaxQueues));
        Endpoint = endpoint.Capabilities;
        _queues = new TrackedQueue?[MaxQueues];
        _threads = SpreadThreads(first.Shared);
        var views = new Dictionary<EventLoop, NicLoop> { [first.Shared] = first };
        _loops = [.. _threads.Select(thread => views.TryGetValue(thread, out var view) ? view : views[thread] = new NicLoop(thread, Fault))];
        endpoint.Spread(_threads, Fault);
    }

    /// <summary>Completes with what a handler of this NIC threw; is cancelled when the NIC is stopped.</summary>
    public Task<Exception> Faulted => _fault.Task;

    public NicModel Model { get; private set; }

    public NicRecord Record { get; }

    public IReadOnlyList<AttachHint> AttachHints { get; private set; } = [];

    /// <summary>What an endpoint has to be like to be changed for the present one.</summary>
    public NicShape Shape => new(MaxQueues, _threads.All(thread => thread == _threads[0]));

    /// <summary>Makes both halves; nothing outside is touched.</summary>
    public static NicRun Create(NicModel model, NicRecord record, LoopPool pool, ILoggerFactory logging, IVmScope vm)
    {
        var fault = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnFault(Exception e) => fault.TrySetResult(e);
        var thread = pool.Take();
        EndpointRun? endpoint = null;
        try
        {
            endpoint = EndpointRun.Make(model, thread, OnFault, logging);
            return new NicRun(model, record, pool, logging, vm, fault, new NicLoop(thread, OnFault), endpoint);
        }
        catch
        {
            pool.Return(thread);
            _ = endpoint?.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts endpoint, then device.</summary>
    public Task StartAsync() => Invoke(() =>
    {
        _adminUp = Model.IsLinkUp;
        _endpoint!.Start(this, _adminUp);
        RefreshLink(tellDevice: false);
        _device.Start(this);
        AttachHints = [.. _device.AttachHints];
    }).WaitAsync(StartLimit, Record.Time);

    public void Inspect(InspectWriter writer)
    {
        writer.Value("link", Link.IsUp ? "up" : "down");
        if (!_adminUp) writer.Value("linkSetDown", true);
        writer.Value("speedMbps", Link.SpeedMbps);
        using (writer.Section("device")) InspectPart(writer, Model.Device.Kind, _device);
        using (writer.Section("endpoint"))
        {
            if (_endpoint is { } endpoint) InspectPart(writer, Model.Endpoint.Kind, endpoint.Endpoint);
        }
    }

    /// <summary>The loop that device and endpoint are started and inspected on.</summary>
    public EventLoop FirstLoop => _threads[0];

    /// <summary>Runs <paramref name="work"/> on the NIC's first loop, also when the NIC is at fault there.</summary>
    public Task<T> Invoke<T>(Func<T> work) => _threads[0].InvokeAsync(work);

    private Task Invoke(Action work) => _threads[0].InvokeAsync(work);

    private void Fault(Exception e) => _fault.TrySetResult(e);

    private EventLoop[] SpreadThreads(EventLoop first)
    {
        var threads = new EventLoop[MaxQueues];
        threads[0] = first;
        for (var i = 1; i < threads.Length; i++) threads[i] = Endpoint.Threading == QueueThreading.SharedLoop ? first : _pool.Take();
        return threads;
    }

    private static void InspectPart(InspectWriter writer, string kind, IInspectable part)
    {
        writer.Value("kind", kind);
        try { part.Inspect(writer); }
#pragma warning disable CA1031 // a plugin that cannot show its state must not hide the others'
        catch (Exception e) { writer.Value("inspectFailed", PluginFault.Describe(e)); }
#pragma warning restore CA1031
    }
}

/// <summary>How a running NIC's queues lie: what bounds the endpoints that it can be moved to.</summary>
/// <param name="Queues">Queues that the guest was offered.</param>
/// <param name="OneLoop">Whether all of them run on one loop.</param>
internal readonly record struct NicShape(int Queues, bool OneLoop);
