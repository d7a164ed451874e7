using System.ComponentModel;
using System.Text.Json.Serialization;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.ThrowsOnLoop;

/// <summary>Endpoints that throw in a handler on their loop, in each of their lives.</summary>
[EndpointKind("throws-on-loop")]
public sealed class Factory : IEndpointFactory
{
    private readonly OptionsModel<ThrowsOnLoopOptions> _options = new(ThrowsOnLoopJson.Default.ThrowsOnLoopOptions);

    public OptionsModel Options => _options;

    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new ThrowingEndpoint(context.Loop, _options.Bind(context.Options).AfterMilliseconds);
    }

    private sealed class ThrowingEndpoint(IEventLoop loop, int delay) : QuietEndpoint
    {
        public override void Start(IEndpointHost host) =>
            loop.CreateTimer(() => throw new InvalidOperationException("This endpoint throws on its loop.")).Set(delay);
    }
}

internal sealed record ThrowsOnLoopOptions
{
    [Description("When it throws, in milliseconds after its start.")]
    public int AfterMilliseconds { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ThrowsOnLoopOptions))]
internal sealed partial class ThrowsOnLoopJson : JsonSerializerContext;
