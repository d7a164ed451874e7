using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Devices;

/// <summary>The host's side of a NIC, as its device sees it.</summary>
public interface INicBackend
{
    /// <summary>
    /// What the endpoint takes and gives. Constant while the NIC lives: if it moves to an endpoint that takes less, the host does the rest in
    /// software (<see cref="Offload.SoftwareTransmitter"/>).
    /// </summary>
    EndpointCapabilities Endpoint { get; }

    /// <summary>Queues that this NIC may open: the smaller of what device and endpoint can do, at least 1.</summary>
    int MaxQueues { get; }

    /// <summary>The link as the guest should see it now. Changes come through <see cref="IDevice.SetLink"/>.</summary>
    LinkState Link { get; }

    /// <summary>The loop that queue <paramref name="index"/> belongs to for life; 0 is the NIC's first loop.</summary>
    IEventLoop Loop(int index);

    /// <summary>The counters of queue <paramref name="index"/>: the device counts frames, kicks and calls, the endpoint its drops.</summary>
    QueueCounters Counters(int index);

    /// <summary>Connects a queue to the endpoint. On that queue's loop; closed through the returned queue.</summary>
    /// <param name="index">0 to <see cref="MaxQueues"/> − 1, not open at present.</param>
    /// <param name="queue">The device's side.</param>
    /// <param name="acceptedRx">What the guest accepted to receive, a subset of the endpoint's <see cref="EndpointCapabilities.RxGives"/>.</param>
    /// <exception cref="InvalidOperationException">The queue is open already or the index is out of range.</exception>
    IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx);

    /// <summary>Records that a VMM attached (a short description) or, with null, detached. First loop.</summary>
    void ReportAttachment(string? peer);

    /// <summary>Records a mistake of the guest or its VMM: logged, counted, shown by inspect as the last fault. Any loop.</summary>
    void ReportGuestFault(string reason);
}
