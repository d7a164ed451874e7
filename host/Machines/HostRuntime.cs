using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>Everything that runs: loops and VMs.</summary>
internal sealed class HostRuntime : IAsyncDisposable
{
    private readonly PluginCatalog _catalog;
    private readonly LoopPool _loops;
    private readonly TimeProvider _time;
    private readonly long _started;
    private bool _stopped;

    public HostRuntime(TopologyModel topology, PluginCatalog catalog, int loops, ILoggerFactory logging, TimeProvider time)
    {
        _catalog = catalog;
        _time = time;
        _started = time.GetTimestamp();
        _loops = new LoopPool(loops, time, logging);
        Vms = [.. topology.Vms.Select(vm => new VmInstance(vm, _loops, logging, time))];
    }

    public IReadOnlyList<VmInstance> Vms { get; }

    public IEnumerable<NicInstance> Nics => Vms.SelectMany(vm => vm.Nics);

    /// <summary>Completes when each NIC has been tried once.</summary>
    public Task StartAsync() => Task.WhenAll(Vms.Select(vm => vm.StartAsync()));

    public async ValueTask DisposeAsync()
    {
        if (_stopped) return;
        _stopped = true;
        await Task.WhenAll(Vms.Select(vm => vm.StopAsync()));
        _loops.Dispose();
    }

    /// <summary>The whole tree, or that of one VM or NIC.</summary>
    /// <param name="target"><c>VM</c>, <c>VM/NIC</c>, or nothing.</param>
    /// <returns>Null when there is no such thing.</returns>
    public async Task<InspectNode?> InspectAsync(string? target)
    {
        if (string.IsNullOrEmpty(target)) return await InspectAllAsync();
        var names = target.Split('/', 2);
        if (Vms.FirstOrDefault(vm => vm.Model.Name == names[0]) is not { } vm) return null;
        if (names.Length == 1) return await vm.InspectAsync();
        return vm.Nics.FirstOrDefault(nic => nic.Model.Identity.Nic == names[1]) is { } nic ? await nic.InspectAsync() : null;
    }

    private async Task<InspectNode> InspectAllAsync()
    {
        var writer = new InspectWriter("nichost");
        writer.Value("pid", Environment.ProcessId);
        writer.Value("uptimeSeconds", (long)_time.GetElapsedTime(_started).TotalSeconds);
        using (writer.Section("memory"))
        {
            writer.Value("workingSetBytes", Environment.WorkingSet);
            writer.Value("managedBytes", GC.GetTotalMemory(false));
            writer.Value("collections", GC.CollectionCount(0));
        }
        using (writer.Section("plugins"))
        {
            foreach (var plugin in _catalog.Plugins)
                writer.Value(plugin.ToString(), plugin.Reason is null ? "active" : $"{InspectWriter.CamelCase(plugin.Status.ToString())}: {plugin.Reason}");
        }
        using (writer.Section("loops")) _loops.Inspect(writer);
        using (writer.Section("vms")) { }
        var vms = writer.Root.Children[^1];
        foreach (var vm in Vms) vms.Children.Add(await vm.InspectAsync());
        return writer.Root;
    }
}
