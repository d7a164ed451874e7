using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Plugins;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>One life of a NIC: an endpoint and a device, wired, on their loops. A fault ends it; the NIC's next life is a new object.</summary>
internal sealed partial class NicRun
{
    private readonly TaskCompletionSource<Exception> _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly NicRecord _record;
    private readonly LoopPool _pool;
    private readonly NicLoop[] _loops;
    private readonly TrackedQueue?[] _queues;
    private readonly IEndpoint _endpoint;
    private readonly IDevice _device;

    private NicRun(NicRecord record, LoopPool pool, NicLoop first, Parts parts)
    {
        (_record, _pool) = (record, pool);
        (_endpoint, _device, Endpoint, MaxQueues) = parts;
        _queues = new TrackedQueue?[MaxQueues];
        _loops = SpreadLoops(first);
    }

    /// <summary>Completes with what a handler of this NIC threw.</summary>
    public Task<Exception> Faulted => _fault.Task;

    public IReadOnlyList<AttachHint> AttachHints { get; private set; } = [];

    /// <summary>Makes both halves; nothing outside is touched.</summary>
    public static NicRun Create(NicRecord record, LoopPool pool, ILoggerFactory logging, IVmScope vm)
    {
        var shared = pool.Take();
        // The loop's view exists before its owner: plugins get it in their contexts.
        NicRun? run = null;
        Exception? early = null;
        var first = new NicLoop(shared, e =>
        {
            early = e;
            run?._fault.TrySetResult(e);
        });
        try
        {
            run = new NicRun(record, pool, first, Parts.Make(new NicContexts(record.Model, first, logging, vm), record.Model));
            if (early is not null) run._fault.TrySetResult(early);
            return run;
        }
        catch
        {
            pool.Return(shared);
            throw;
        }
    }

    /// <summary>Starts endpoint, then device.</summary>
    public Task StartAsync() => Invoke(() =>
    {
        _endpoint.Start(this);
        RefreshLink(tellDevice: false);
        _device.Start(this);
        AttachHints = [.. _device.AttachHints];
    }).WaitAsync(StartLimit, _record.Time);

    public void Inspect(InspectWriter writer)
    {
        writer.Value("link", Link.IsUp ? "up" : "down");
        writer.Value("speedMbps", Link.SpeedMbps);
        using (writer.Section("device")) InspectPart(writer, _record.Model.Device.Kind, _device);
        using (writer.Section("endpoint")) InspectPart(writer, _record.Model.Endpoint.Kind, _endpoint);
    }

    /// <summary>Runs <paramref name="work"/> on the NIC's first loop, also when the NIC is at fault there.</summary>
    public Task<T> Invoke<T>(Func<T> work) => _loops[0].Shared.InvokeAsync(work);

    private Task Invoke(Action work) => _loops[0].Shared.InvokeAsync(work);

    private NicLoop[] SpreadLoops(NicLoop first)
    {
        var loops = new NicLoop[MaxQueues];
        loops[0] = first;
        for (var i = 1; i < loops.Length; i++)
        {
            if (Endpoint.Threading == QueueThreading.SharedLoop)
            {
                loops[i] = first;
                continue;
            }
            var shared = _pool.Take();
            loops[i] = loops.Take(i).FirstOrDefault(l => l.Shared == shared) ?? new NicLoop(shared, e => _fault.TrySetResult(e));
        }
        return loops;
    }

    private static void InspectPart(InspectWriter writer, string kind, IInspectable part)
    {
        writer.Value("kind", kind);
        try { part.Inspect(writer); }
#pragma warning disable CA1031 // a plugin that cannot show its state must not hide the others'
        catch (Exception e) { writer.Value("inspectFailed", PluginFault.Describe(e)); }
#pragma warning restore CA1031
    }

    /// <summary>The two halves and what they agree on.</summary>
    private sealed record Parts(IEndpoint Endpoint, IDevice Device, EndpointCapabilities Capabilities, int Queues)
    {
        public static Parts Make(NicContexts contexts, Topology.NicModel model)
        {
            var deviceFactory = model.Device.Factory;
            var endpoint = model.Endpoint.Factory.Create(contexts.Endpoint);
            try
            {
                var device = deviceFactory.Create(contexts.Device);
                var queues = Math.Max(1, Math.Min(deviceFactory.QueueCount(contexts.Device), endpoint.Capabilities.MaxQueues));
                return new Parts(endpoint, device, endpoint.Capabilities, queues);
            }
            catch
            {
                _ = endpoint.DisposeAsync().AsTask();
                throw;
            }
        }
    }
}
