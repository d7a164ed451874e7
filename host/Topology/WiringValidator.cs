using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Loops;

namespace NicHost.Host.Topology;

/// <summary>
/// What shows only when a NIC is put together: options that do not hold, an MTU above the endpoint's, two NICs that want the same thing of
/// the host. Devices and endpoints are made, not started: that touches nothing outside.
/// </summary>
internal sealed class WiringValidator
{
    private readonly TopologyFile _file;
    private readonly Dictionary<string, (NicModel Owner, bool SharedInVm)> _claims = new(StringComparer.Ordinal);

    private WiringValidator(TopologyFile file) => _file = file;

    public static void Check(TopologyFile file, IEnumerable<(NicModel Nic, string Path)> nics)
    {
        var validator = new WiringValidator(file);
        using var loop = new EventLoop("check");
        foreach (var (nic, path) in nics)
        {
            var view = new NicLoop(loop, _ => { });
            validator.CheckEndpoint(nic.Endpoint.Factory, NicContexts.Endpoint(nic, view, NullLoggerFactory.Instance), nic, path);
            validator.CheckDevice(nic.Device.Factory, NicContexts.Device(nic, view, NullLoggerFactory.Instance, new VmScope()), nic, path);
            view.End();
        }
    }

    private void CheckEndpoint(IEndpointFactory factory, EndpointContext context, NicModel nic, string path) =>
        Guard(JsonPath.Member(path, "endpoint"), part =>
        {
            Claim(nic, part, factory.Claims(context));
            var endpoint = factory.Create(context);
            if (nic.Mtu > endpoint.Capabilities.MaxMtu)
                _file.Add(JsonPath.Member(path, "mtu"), $"An MTU of {nic.Mtu} is more than a {nic.Endpoint.Kind} endpoint carries.", $"Use at most {endpoint.Capabilities.MaxMtu}.");
            Discard(endpoint);
        });

    private void CheckDevice(IDeviceFactory factory, DeviceContext context, NicModel nic, string path) =>
        Guard(JsonPath.Member(path, "device"), part =>
        {
            Claim(nic, part, factory.Claims(context));
            _ = factory.QueueCount(context);
            Discard(factory.Create(context));
        });

    private void Claim(NicModel nic, string part, IReadOnlyList<ResourceClaim> claims)
    {
        foreach (var claim in claims)
        {
            if (_claims.TryAdd(claim.Resource, (nic, claim.SharedInVm))) continue;
            var (owner, shared) = _claims[claim.Resource];
            if (shared && claim.SharedInVm && owner.Identity.Vm == nic.Identity.Vm) continue;
            _file.Add(JsonPath.Join(part, claim.Path), $"{claim.Resource} is taken by {owner.Identity} already.", "Give each NIC its own.");
        }
    }

    private void Guard(string path, Action<string> check)
    {
        try { check(path); }
        catch (OptionsException e)
        {
            foreach (var fault in e.Faults) _file.Add(JsonPath.Join(path, fault.Path), fault.Message, fault.Remedy);
        }
#pragma warning disable CA1031 // the plugin failed: that, too, is for the user to read
        catch (Exception e)
        {
            _file.Add(path, $"The plugin cannot make it: {PluginFault.Describe(e)}.", "Report it to the plugin's author.");
        }
#pragma warning restore CA1031
    }

    // Never started, so there is nothing to wait for; a fault in its disposal is not the file's.
    private static void Discard(IAsyncDisposable part) => _ = part.DisposeAsync().AsTask().ContinueWith(t => t.Exception, TaskScheduler.Default);
}
