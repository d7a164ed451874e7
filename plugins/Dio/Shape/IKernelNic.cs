using System.Runtime.InteropServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;

namespace NicHost.Dio.Shape;

/// <summary>
/// A NIC of the host's kernel and its place in a switch: what differs between kernels. All on the NIC's first loop, but for
/// <see cref="OpenQueue"/>, which is on the queue's. What was made is undone by its record.
/// </summary>
internal interface IKernelNic : IInspectable
{
    EndpointCapabilities Capabilities { get; }

    /// <summary>Whether frames pass, and why not. Any thread.</summary>
    NicLink Link { get; }

    /// <summary>Undoes what earlier runs left that were killed.</summary>
    /// <returns>What was found and what became of it.</returns>
    IReadOnlyList<string> UndoLeftovers();

    /// <summary>A record of what this run makes, empty.</summary>
    MadeThings Record();

    /// <summary>Finds or makes switch, NIC and port. What it makes goes through <paramref name="made"/> before it is made.</summary>
    /// <param name="made">The record of what is to be undone.</param>
    /// <param name="linkChanged">Told when <see cref="Link"/> has changed. Any thread.</param>
    /// <exception cref="IOException">The kernel refuses; the message says what and the remedy.</exception>
    void Start(MadeThings made, Action linkChanged);

    /// <summary>Shows the switch whether the NIC's cable is plugged in, where the kernel has a way to. After <see cref="Start"/>.</summary>
    void ShowLink(bool isUp) { }

    /// <inheritdoc cref="IDescriptorTaker.Take"/>
    string Take(IReadOnlyList<SafeHandle> descriptors)
    {
        foreach (var descriptor in descriptors) descriptor.Dispose();
        throw new IOException("Descriptors are passed on Linux only.");
    }

    IEndpointQueue OpenQueue(EndpointQueueConfig config);

    /// <summary>Ends what runs. It completes, at once or later on any thread, when the kernel holds nothing of ours: what was made is undone then.</summary>
    Task EndAsync();
}

/// <summary>A link and, when it is down, why.</summary>
internal sealed record NicLink(LinkState State, string? Reason)
{
    public static NicLink Down(string reason) => new(LinkState.Down, reason);
}
