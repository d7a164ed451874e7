using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>
/// A VM: its NICs and a service provider of its own, which ends with it (a provider for all VMs would hold on to plugin types). What
/// belongs to the host goes in as instances, which a provider does not dispose.
/// </summary>
internal sealed class VmInstance
{
    private readonly ServiceProvider _services;

    public VmInstance(VmModel model, LoopPool loops, ILoggerFactory logging, TimeProvider time)
    {
        Model = model;
        var services = new ServiceCollection()
            .AddSingleton(loops).AddSingleton(logging).AddSingleton(time)
            .AddSingleton<VmScope>();
        foreach (var nic in model.Nics)
        {
            services.AddSingleton(provider => new NicInstance(nic,
                provider.GetRequiredService<LoopPool>(), provider.GetRequiredService<VmScope>(),
                provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        }
        _services = services.BuildServiceProvider();
        Nics = [.. _services.GetServices<NicInstance>()];
    }

    public VmModel Model { get; }

    public IReadOnlyList<NicInstance> Nics { get; }

    /// <summary>Completes when each NIC has been tried once.</summary>
    public Task StartAsync() => Task.WhenAll(Nics.Select(nic => nic.StartAsync()));

    /// <summary>Guests see their links go down; then devices end, then endpoints, then what the NICs shared.</summary>
    public async Task StopAsync()
    {
        var ended = await Task.WhenAll(Nics.Select(nic => nic.EndAsync()));
        NicRun[] runs = [.. ended.OfType<NicRun>()];
        await Task.WhenAll(runs.Select(run => run.ShowLinkDownAsync()));
        await Task.WhenAll(runs.Select(run => run.DisposeDeviceAsync()));
        await Task.WhenAll(runs.Select(run => run.DisposeEndpointAsync()));
        await Task.WhenAll(runs.Select(run => run.EndLoopsAsync()));
        await _services.DisposeAsync();
    }

    public async Task<InspectNode> InspectAsync()
    {
        var writer = new InspectWriter(Model.Name);
        foreach (var nic in Nics) writer.Root.Children.Add(await nic.InspectAsync());
        return writer.Root;
    }
}
