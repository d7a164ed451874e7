using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>What a NIC's two halves are made from.</summary>
internal sealed class NicContexts(NicModel nic, IEventLoop loop, ILoggerFactory logging, IVmScope vm)
{
    public EndpointContext Endpoint { get; } = new()
    {
        Nic = nic.Identity,
        Mac = nic.Mac,
        Mtu = nic.Mtu,
        Options = nic.Endpoint.Options,
        BaseDirectory = nic.BaseDirectory,
        Loop = loop,
        Logging = logging,
    };

    public DeviceContext Device { get; } = new()
    {
        Nic = nic.Identity,
        Mac = nic.Mac,
        Mtu = nic.Mtu,
        Options = nic.Device.Options,
        BaseDirectory = nic.BaseDirectory,
        Loop = loop,
        Logging = logging,
        Vm = vm,
    };
}
