using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Nics;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>
/// A VM: its NICs and a service provider of its own, which ends with it (a provider for all VMs would hold on to plugin types). What
/// belongs to the host goes in as instances, which a provider does not dispose. Changes come one at a time; readers see a whole list.
/// </summary>
internal sealed class VmInstance
{
    private readonly ServiceProvider _services;
    private ImmutableArray<NicInstance> _nics = [];

    public VmInstance(string name, LoopPool loops, ILoggerFactory logging, TimeProvider time)
    {
        Name = name;
        _services = new ServiceCollection().AddSingleton(loops).AddSingleton(logging).AddSingleton(time).AddSingleton<VmScope>().BuildServiceProvider();
    }

    public string Name { get; }

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<NicInstance> Nics => _nics;

    /// <summary>Adds a NIC and starts it.</summary>
    /// <returns>Why it does not run; null when it does.</returns>
    public async Task<string?> AddNicAsync(NicModel model)
    {
        var nic = ActivatorUtilities.CreateInstance<NicInstance>(_services, model);
        ImmutableInterlocked.Update(ref _nics, nics => nics.Insert(Sorted.PlaceFor(nics, nic.Identity.Nic, n => n.Identity.Nic), nic));
        await nic.StartAsync();
        return nic.State == NicState.Running ? null : $"{nic.Reason} It will be tried again.";
    }

    public async Task RemoveNicAsync(NicIdentity identity)
    {
        var nic = _nics.Single(nic => nic.Identity == identity);
        ImmutableInterlocked.Update(ref _nics, nics => nics.Remove(nic));
        await StopAsync([nic]);
    }

    /// <summary>Guests see their links go down; then devices end, then endpoints, then what the NICs shared.</summary>
    public async Task StopAsync()
    {
        await StopAsync(_nics);
        await _services.DisposeAsync();
    }

    private static async Task StopAsync(IReadOnlyList<NicInstance> nics)
    {
        var ended = await Task.WhenAll(nics.Select(nic => nic.EndAsync()));
        NicRun[] runs = [.. ended.OfType<NicRun>()];
        await Task.WhenAll(runs.Select(run => run.ShowLinkDownAsync()));
        await Task.WhenAll(runs.Select(run => run.DisposeDeviceAsync()));
        await Task.WhenAll(runs.Select(run => run.DisposeEndpointAsync()));
        await Task.WhenAll(runs.Select(run => run.EndLoopsAsync()));
        foreach (var nic in nics) nic.Dispose();
    }
}
