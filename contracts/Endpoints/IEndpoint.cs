using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Endpoints;

/// <summary>Where a NIC's packets go. One instance per NIC.</summary>
public interface IEndpoint : IInspectable, IAsyncDisposable
{
    /// <summary>What it can do. Readable before <see cref="Start"/>.</summary>
    EndpointCapabilities Capabilities { get; }

    /// <summary>The state of the link behind the endpoint, at any time after <see cref="Start"/>.</summary>
    LinkState Link { get; }

    /// <summary>Opens what it needs of the host. Called once, on the NIC's first loop, before any queue is opened.</summary>
    /// <param name="host">Told when <see cref="Link"/> has changed.</param>
    /// <exception cref="IOException">The host refuses; the message says what and the remedy.</exception>
    void Start(IEndpointHost host);

    /// <summary>
    /// Tells whether the NIC's cable is plugged in: the topology's <c>link</c>, in an endpoint's terms what is to be shown to whoever is
    /// behind it. Until it is called the cable is in. The guest's own link is not the endpoint's to set, and its frames are kept from it
    /// while the cable is out. On the NIC's first loop, after <see cref="Start"/>. Since 1.1.
    /// </summary>
    /// <param name="isUp">False: the cable is out.</param>
    void ShowLink(bool isUp) { }

    /// <summary>Opens a queue. On the queue's loop. A queue may be opened again after it was closed.</summary>
    IEndpointQueue OpenQueue(EndpointQueueConfig config);

    /// <summary>
    /// Takes other options while it runs: all of them, or, when it throws, none. Called on the NIC's first loop, only after
    /// <see cref="IEndpointFactory.CanReconfigure"/> said yes for the same contexts. Since 1.1.
    /// </summary>
    /// <param name="wanted">As <see cref="IEndpointFactory.Create"/> would get it.</param>
    /// <exception cref="IOException">The host refuses; the message says what and the remedy. The endpoint goes on as before.</exception>
    void Reconfigure(EndpointContext wanted) => throw new NotSupportedException("This endpoint takes no other options while it runs.");
}

/// <summary>The host, as an endpoint sees it.</summary>
public interface IEndpointHost
{
    /// <summary>Tells that <see cref="IEndpoint.Link"/> has changed. Any thread.</summary>
    void LinkChanged();

    /// <summary>Records a trouble of the host's side (never blamed on the guest): logged and shown by inspect. Any thread.</summary>
    void ReportTrouble(string reason);
}
