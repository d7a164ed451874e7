using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Changes;

/// <summary>
/// Kinds for a host that runs: a VM goes on with the plugin versions that it started with, for NICs that it is given later too (what the
/// NICs of a VM share has to be of one version). Everybody else gets the newest.
/// </summary>
internal sealed class RunningKinds : IKindSource
{
    private readonly IKindSource _newest;
    private readonly Dictionary<(string Vm, string Kind), PluginKind<IDeviceFactory>> _devices = [];
    private readonly Dictionary<(string Vm, string Kind), PluginKind<IEndpointFactory>> _endpoints = [];

    public RunningKinds(IKindSource newest, IEnumerable<VmInstance> running)
    {
        _newest = newest;
        foreach (var nic in running.SelectMany(vm => vm.Nics).Select(nic => nic.Model))
        {
            // Nobody goes on with a plugin that never worked.
            if (nic.Device.Factory is not IBrokenFactory) _devices.TryAdd((nic.Identity.Vm, Written(nic.Device)), nic.Device.Source);
            if (nic.Endpoint.Factory is not IBrokenFactory) _endpoints.TryAdd((nic.Identity.Vm, Written(nic.Endpoint)), nic.Endpoint.Source);
        }
    }

    public IReadOnlyList<string> DeviceKinds => _newest.DeviceKinds;

    public IReadOnlyList<string> EndpointKinds => _newest.EndpointKinds;

    public IReadOnlyList<PluginEntry> Plugins => _newest.Plugins;

    public PluginKind<IDeviceFactory>? Device(string vm, string kind) => _devices.GetValueOrDefault((vm, kind)) ?? _newest.Device(vm, kind);

    public PluginKind<IEndpointFactory>? Endpoint(string vm, string kind) => _endpoints.GetValueOrDefault((vm, kind)) ?? _newest.Endpoint(vm, kind);

    // As the topology has it: with the version that it asks for.
    private static string Written<TFactory>(PartModel<TFactory> part) where TFactory : class => part.Options.GetProperty("kind").GetString()!;
}
