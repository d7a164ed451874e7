using NicHost.Host.Plugins;

namespace NicHost.Host.Machines;

/// <summary>Which plugins the VMs of a host are made of.</summary>
internal static class PluginUsers
{
    public static IEnumerable<(string Vm, PluginEntry Plugin)> Of(HostRuntime host) =>
        from vm in host.Vms
        from nic in vm.Nics
        let model = nic.Model
        from plugin in new[] { model.Device.Source.Plugin, model.Endpoint.Source.Plugin }
        select (vm.Name, plugin);
}
