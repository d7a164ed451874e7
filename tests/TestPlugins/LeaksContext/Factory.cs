using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.TestPlugins.LeaksContext;

/// <summary>Endpoints that leave something behind: a handler of a static event that outlives them keeps the whole plugin in memory.</summary>
[EndpointKind("leaks-context")]
public sealed class Factory : IEndpointFactory
{
    public OptionsModel Options => QuietOptions.Model;

    public IEndpoint Create(EndpointContext context) => new LeakingEndpoint();

    private sealed class LeakingEndpoint : QuietEndpoint
    {
        public override void Start(IEndpointHost host) => AppDomain.CurrentDomain.ProcessExit += OnExit;

        private void OnExit(object? sender, EventArgs e) { }
    }
}
