using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>What a NIC's two halves are made from.</summary>
internal static class NicContexts
{
    public static EndpointContext Endpoint(NicModel nic, IEventLoop loop, ILoggerFactory logging, IMeterFactory? meters = null) => new()
    {
        Nic = nic.Identity,
        Mac = nic.Mac,
        Mtu = nic.Mtu,
        Options = nic.Endpoint.Options,
        BaseDirectory = nic.BaseDirectory,
        Loop = loop,
        Logging = logging,
        Meters = meters,
    };

    public static DeviceContext Device(NicModel nic, IEventLoop loop, ILoggerFactory logging, IVmScope vm, IMeterFactory? meters = null) => new()
    {
        Nic = nic.Identity,
        Mac = nic.Mac,
        Mtu = nic.Mtu,
        Options = nic.Device.Options,
        BaseDirectory = nic.BaseDirectory,
        Loop = loop,
        Logging = logging,
        Meters = meters,
        Vm = vm,
    };
}
