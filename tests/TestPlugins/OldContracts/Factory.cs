using System.Text.Json.Serialization;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.OldContracts;

/// <summary>Endpoints as they were written when the contracts were 1.0: they give plain frames back.</summary>
[EndpointKind("old-contracts")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options { get; } = new OptionsModel<OldOptions>(OldJson.Default.OldOptions);

    public IEndpoint Create(EndpointContext context) => new EchoEndpoint();
}

internal sealed class EchoEndpoint : IEndpoint
{
    public EndpointCapabilities Capabilities { get; } = new() { MaxQueues = 4, MaxMtu = 9000 };

    public LinkState Link => LinkState.Up10G;

    public void Start(IEndpointHost host) { }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config) => new Queue(config);

    public void Inspect(InspectWriter writer) => writer.Value("contracts", "1.0");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Queue(EndpointQueueConfig config) : IEndpointQueue
    {
        private bool _stalled;

        public int Transmit(in TxBatch batch)
        {
            var taken = 0;
            while (taken < batch.Frames.Length && GiveBack(batch.SegmentsOf(batch.Frames[taken]), batch.Frames[taken].Length)) taken++;
            if (taken > 0) config.Device.Flush();
            _stalled = taken < batch.Frames.Length;
            return taken;
        }

        public void ReceiveReady()
        {
            if (!_stalled) return;
            _stalled = false;
            config.Device.TransmitReady();
        }

        public void Close() { }

        private bool GiveBack(ReadOnlySpan<Segment> frame, int length)
        {
            if (length > config.MaxRxFrame)
            {
                config.Counters.DropTx(DropReason.TooLong);
                return true;
            }
            Span<Segment> buffers = stackalloc Segment[FrameLimits.MaxRxSegments];
            var count = config.Device.Reserve(length, buffers, out var ticket);
            if (count == 0) return false;
            for (int i = 0, done = 0; i < count && done < length; i++) done += SegmentOps.CopyTo(frame, done, buffers[i].Span[..Math.Min((int)buffers[i].Length, length - done)]);
            config.Device.Commit(ticket, length, default);
            return true;
        }
    }
}

internal sealed record OldOptions;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(OldOptions))]
internal sealed partial class OldJson : JsonSerializerContext;
