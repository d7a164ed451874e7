using System.Text.Json;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>A topology that holds: every default filled in, every option checked by its plugin.</summary>
/// <param name="Files">The files that it was read from, as the user wrote them.</param>
/// <param name="BaseDirectory">The folder of the first of them.</param>
/// <param name="Settings">What it says about the process.</param>
/// <param name="Vms">In the order of the files.</param>
internal sealed record TopologyModel(IReadOnlyList<string> Files, string BaseDirectory, HostSettings Settings, IReadOnlyList<VmModel> Vms)
{
    /// <summary>Where plugins failed. Their NICs will not run; the others do.</summary>
    public IReadOnlyList<TopologyFault> Warnings { get; init; } = [];
}

internal sealed record VmModel(string Name, IReadOnlyList<NicModel> Nics);

internal sealed record NicModel
{
    public required NicIdentity Identity { get; init; }
    public required MacAddress Mac { get; init; }
    public required bool MacIsDerived { get; init; }
    public required int Mtu { get; init; }

    /// <summary>The administrator's part of the link; the endpoint has the other. May change while the NIC runs.</summary>
    public bool IsLinkUp { get; init; } = true;

    public RestartPolicy Restart { get; init; } = RestartPolicy.Default;

    public required PartModel<IDeviceFactory> Device { get; init; }
    public required PartModel<IEndpointFactory> Endpoint { get; init; }
    public required string BaseDirectory { get; init; }
}

/// <summary>The <c>device</c> or <c>endpoint</c> object.</summary>
/// <param name="Source">The kind, and the plugin version that makes it.</param>
/// <param name="Options">The object, <c>kind</c> included.</param>
internal sealed record PartModel<TFactory>(PluginKind<TFactory> Source, JsonElement Options) where TFactory : class
{
    public string Kind => Source.Kind;

    public TFactory Factory => Source.Factory;
}
