using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Loops;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Topology;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>
/// An endpoint while a NIC is plugged into it. It has loop views of its own, beside the device's: when the NIC moves on, all that the
/// endpoint left on the loops goes, and nothing of the device's.
/// </summary>
#pragma warning disable CA1001 // the meters end with the endpoint, in DisposeAsync
internal sealed class EndpointRun : IEndpointHost
#pragma warning restore CA1001
{
    private readonly Dictionary<EventLoop, NicLoop> _views = [];
    private readonly NicLoop _first;
    private readonly ILoggerFactory _logging;
    private readonly NicMeters _meters;
    private NicRun? _nic;

    private EndpointRun(NicModel model, NicLoop first, ILoggerFactory logging)
    {
        _first = first;
        _logging = logging;
        _views.Add(first.Shared, first);
        _meters = new NicMeters(model.Identity);
        Endpoint = _meters.Make(() => model.Endpoint.Factory.Create(NicContexts.Endpoint(model, first, logging, _meters)));
    }

    public IEndpoint Endpoint { get; }

    public EndpointCapabilities Capabilities => Endpoint.Capabilities;

    /// <summary>Makes it; nothing outside is touched.</summary>
    public static EndpointRun Make(NicModel model, EventLoop first, Action<Exception> onFault, ILoggerFactory logging) =>
        new(model, new NicLoop(first, onFault), logging);

    /// <summary>Gives it views of the threads that the NIC's queues run on.</summary>
    public void Spread(IEnumerable<EventLoop> threads, Action<Exception> onFault)
    {
        foreach (var thread in threads) _views.TryAdd(thread, new NicLoop(thread, onFault));
    }

    /// <summary>On the first loop.</summary>
    /// <param name="nic">Whose endpoint it is.</param>
    /// <param name="isLinkUp">What the topology says of the link.</param>
    public void Start(NicRun nic, bool isLinkUp)
    {
        _nic = nic;
        Endpoint.Start(this);
        if (!isLinkUp) Endpoint.ShowLink(isUp: false);
    }

    /// <summary>The endpoint's view of a queue's thread.</summary>
    public IEventLoop View(EventLoop thread) => _views[thread];

    /// <summary>On the first loop.</summary>
    public void Reconfigure(NicModel wanted) => Endpoint.Reconfigure(NicContexts.Endpoint(wanted, _first, _logging, _meters));

    public void LinkChanged() => _first.Post(() => _nic?.RefreshLink(this));

    public void ReportTrouble(string reason) => _nic?.Record.Trouble(reason);

    public void Inspect(InspectWriter writer) => Endpoint.Inspect(writer);

    /// <summary>After a fault: none of its handlers runs any more.</summary>
    public Task SilenceAsync() => OnEachView(view => view.Silence());

    /// <summary>Removes what it left on the loops.</summary>
    public Task EndAsync() => OnEachView(view => view.End());

    // On the pool: a DisposeAsync that blocks before its first await must not block the host.
    public Task DisposeAsync() => Task.Run(async () =>
    {
        using (_meters) await Endpoint.DisposeAsync();
    });

    private Task OnEachView(Action<NicLoop> work) => Task.WhenAll(_views.Values.Select(view => view.Shared.InvokeAsync(() => work(view))));
}
