using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Machines;

/// <content>What the device sees of the host.</content>
#pragma warning disable CA1001 // the meters end with the device, in DisposeDeviceAsync
internal sealed partial class NicRun : INicBackend
#pragma warning restore CA1001
{
    private bool _adminUp = true;
    private ulong _link;

    /// <summary>What the guest was offered: the first endpoint's abilities, kept when the NIC moves to another.</summary>
    public EndpointCapabilities Endpoint { get; }

    public int MaxQueues { get; }

    // One word, so that any thread reads a whole state.
    public LinkState Link
    {
        get
        {
            var link = Volatile.Read(ref _link);
            return new LinkState(link >> 32 != 0, (uint)link);
        }
    }

    internal bool IsLinkUp => Volatile.Read(ref _link) >> 32 != 0;

    public IEventLoop Loop(int index) => _loops[index];

    public QueueCounters Counters(int index) => Record.Counters(index);

    public IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx)
    {
        if (index < 0 || index >= MaxQueues) throw new InvalidOperationException($"There is no queue {index}: this NIC has {MaxQueues}.");
        if (!_loops[index].IsCurrent) throw new InvalidOperationException($"Queue {index} is opened on its own loop.");
        if (_queues[index] is not null) throw new InvalidOperationException($"Queue {index} is open already.");
        var tracked = new TrackedQueue(this, index, queue, acceptedRx);
        if (_endpoint is { } endpoint) tracked.Plug(endpoint, _threads[index]);
        _queues[index] = tracked;
        return tracked;
    }

    public void ReportAttachment(string? peer) => Record.Attachment(peer);

    public void ReportGuestFault(string reason) => Record.GuestFault(reason);

    /// <summary>An endpoint's link has changed: of no interest once the NIC has moved on.</summary>
    internal void RefreshLink(EndpointRun from)
    {
        if (from == _endpoint) RefreshLink(tellDevice: true);
    }

    internal void QueueClosed(int index) => _queues[index] = null;

    private void RefreshLink(bool tellDevice)
    {
        var behind = _endpoint?.Endpoint.Link ?? LinkState.Down;
        var now = new LinkState(_adminUp && behind.IsUp, behind.SpeedMbps);
        if (now == Link) return;
        Volatile.Write(ref _link, ((now.IsUp ? 1UL : 0UL) << 32) | now.SpeedMbps);
        if (tellDevice) _device.SetLink(now);
    }
}
