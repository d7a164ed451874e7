using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Devices;

/// <summary>
/// What a guest sees: one NIC's model with its transport. It waits for a VMM, negotiates within the endpoint's abilities, and opens
/// and closes queues as the guest does. A guest's mistake ends at most this NIC's attachment, with a reason; then it waits anew.
/// </summary>
public interface IDevice : IInspectable, IAsyncDisposable
{
    /// <summary>How a VMM attaches to this NIC, for a person to copy.</summary>
    IReadOnlyList<AttachHint> AttachHints { get; }

    /// <summary>Starts to serve. Called once, on the NIC's first loop.</summary>
    /// <exception cref="IOException">The transport cannot be set up; the message names the path and the remedy.</exception>
    void Start(INicBackend backend);

    /// <summary>Shows the guest a new link state. On the NIC's first loop.</summary>
    void SetLink(LinkState link);

    /// <summary>
    /// Takes other options while it runs: all of them, or, when it throws, none. Called on the NIC's first loop, only after
    /// <see cref="IDeviceFactory.CanReconfigure"/> said yes for the same contexts. Since 1.1.
    /// </summary>
    /// <param name="wanted">As <see cref="IDeviceFactory.Create"/> would get it.</param>
    /// <exception cref="IOException">The host refuses; the message says what and the remedy. The device goes on as before.</exception>
    void Reconfigure(DeviceContext wanted) => throw new NotSupportedException("This device takes no other options while it runs.");
}

/// <summary>Arguments with which one kind of VMM attaches.</summary>
/// <param name="Vmm">Name of the VMM, for example <c>QEMU</c>.</param>
/// <param name="Arguments">The exact arguments, ready for a shell.</param>
public sealed record AttachHint(string Vmm, string Arguments);
