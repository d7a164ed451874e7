using System.Text.Json.Serialization;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.Contracts.Endpoints;

/// <summary>Makes endpoints that take every frame and give none: a NIC whose cable ends in nothing, with its link up.</summary>
[EndpointKind("null")]
public sealed class NullEndpointFactory : IEndpointFactory
{
    /// <inheritdoc/>
    public OptionsModel Options { get; } = new OptionsModel<NoOptions>(BuiltInJson.Default.NoOptions);

    /// <inheritdoc/>
    public IEndpoint Create(EndpointContext context) => new NullEndpoint();
}

/// <summary>The endpoint that takes everything and gives nothing. Also the yardstick for what a device costs by itself.</summary>
internal sealed class NullEndpoint : IEndpoint
{
    private const OffloadSet Everything = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Vlan | OffloadSet.Ipv4HeaderChecksum;

    public EndpointCapabilities Capabilities { get; } = new() { TxAccepts = Everything, RxGives = Everything, MaxQueues = 64 };

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host) { }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => new Queue();

    public void Inspect(InspectWriter writer) { }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Queue : IEndpointQueue
    {
        public int Transmit(in TxBatch batch) => batch.Frames.Length;

        public void ReceiveReady() { }

        public void Close() { }
    }
}

/// <summary>Options of the kinds that have none.</summary>
internal sealed record NoOptions;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(NoOptions))]
internal sealed partial class BuiltInJson : JsonSerializerContext;
