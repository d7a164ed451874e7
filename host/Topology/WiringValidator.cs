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
    private const string Host = "the control socket";

    private readonly Dictionary<string, (NicModel? Owner, bool SharedInVm)> _claims = new(StringComparer.Ordinal);

    private WiringValidator(string? controlSocket)
    {
        if (controlSocket is not null) _claims.Add(ResourceClaim.OfPath("socket", controlSocket, "/", "$").Resource, (null, false));
    }

    public static void Check(IEnumerable<NicDraft> nics, string? controlSocket)
    {
        var validator = new WiringValidator(controlSocket);
        using var loop = new EventLoop("check");
        foreach (var nic in nics)
        {
            var view = new NicLoop(loop, _ => { });
            validator.CheckEndpoint(nic.Nic.Endpoint.Factory, NicContexts.Endpoint(nic.Nic, view, NullLoggerFactory.Instance), nic);
            validator.CheckDevice(nic.Nic.Device.Factory, NicContexts.Device(nic.Nic, view, NullLoggerFactory.Instance, new VmScope()), nic);
            view.End();
        }
    }

    private void CheckEndpoint(IEndpointFactory factory, EndpointContext context, NicDraft nic) =>
        Guard(nic.Endpoint, () =>
        {
            Claim(nic.Nic, nic.Endpoint, factory.Claims(context));
            var endpoint = factory.Create(context);
            if (nic.Nic.Mtu > endpoint.Capabilities.MaxMtu)
                nic.Whole.Add("$.mtu", $"An MTU of {nic.Nic.Mtu} is more than a {nic.Nic.Endpoint.Kind} endpoint carries.", $"Use at most {endpoint.Capabilities.MaxMtu}.");
            Discard(endpoint);
        });

    private void CheckDevice(IDeviceFactory factory, DeviceContext context, NicDraft nic) =>
        Guard(nic.Device, () =>
        {
            Claim(nic.Nic, nic.Device, factory.Claims(context));
            _ = factory.QueueCount(context);
            Discard(factory.Create(context));
        });

    private void Claim(NicModel nic, Layered part, IReadOnlyList<ResourceClaim> claims)
    {
        foreach (var claim in claims)
        {
            if (_claims.TryAdd(claim.Resource, (nic, claim.SharedInVm))) continue;
            var (owner, shared) = _claims[claim.Resource];
            if (shared && claim.SharedInVm && owner?.Identity.Vm == nic.Identity.Vm) continue;
            var (place, name) = (part.Find(claim.Path), owner?.Identity.ToString() ?? Host);
            if (place.IsWithin(part.Place)) place.Add($"{claim.Resource} is taken by {name} already.", "Give each NIC its own.");
            else place.Add($"{claim.Resource} would be {name}'s and {nic.Identity}'s.", "A default is for what NICs can share: give each its own.");
        }
    }

    private static void Guard(Layered part, Action check)
    {
        try { check(); }
        catch (OptionsException e)
        {
            foreach (var fault in e.Faults) part.Add(fault.Path, fault.Message, fault.Remedy);
        }
#pragma warning disable CA1031 // the plugin failed: that, too, is for the user to read
        catch (Exception e)
        {
            part.Add("$", $"The plugin cannot make it: {PluginFault.Describe(e)}", "Report it to the plugin's author.", isPlugins: true);
        }
#pragma warning restore CA1031
    }

    // Never started, so there is nothing to wait for; a fault in its disposal is not the file's.
    private static void Discard(IAsyncDisposable part) => _ = part.DisposeAsync().AsTask().ContinueWith(t => t.Exception, TaskScheduler.Default);
}
