using System.ComponentModel;
using System.Text.Json.Serialization;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.HangsInStop;

/// <summary>Endpoints whose end never comes.</summary>
[EndpointKind("hangs-in-stop")]
public sealed class Factory : IEndpointFactory
{
    private readonly OptionsModel<HangsInStopOptions> _options = new(HangsInStopJson.Default.HangsInStopOptions);

    public OptionsModel Options => _options;

    public IEndpoint Create(EndpointContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new HangingEndpoint(_options.Bind(context.Options).Blocks);
    }

    private sealed class HangingEndpoint(bool blocks) : QuietEndpoint
    {
        private bool _started;

        public override void Start(IEndpointHost host) => _started = true;

        protected override ValueTask StopAsync()
        {
            if (!_started) return ValueTask.CompletedTask;
            if (!blocks) return new ValueTask(new TaskCompletionSource().Task);
            // Bounded, so that a test process whose host ignores it does not lose the thread for ever.
            using var never = new ManualResetEventSlim();
            never.Wait(TimeSpan.FromMinutes(1));
            return ValueTask.CompletedTask;
        }
    }
}

internal sealed record HangsInStopOptions
{
    [Description("Block the calling thread, for up to a minute, instead of returning a task that never completes.")]
    public bool Blocks { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(HangsInStopOptions))]
internal sealed partial class HangsInStopJson : JsonSerializerContext;
