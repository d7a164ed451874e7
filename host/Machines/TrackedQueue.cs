using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Offload;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>
/// An open queue as the device holds it, whatever endpoint is behind it at the moment, or none. Lets nothing pass while the link is
/// down. All of it on the queue's loop.
/// </summary>
internal sealed class TrackedQueue(NicRun nic, int index, IDeviceQueue device, OffloadSet acceptedRx) : IEndpointQueue
{
    private readonly QueueCounters _counters = nic.Counters(index);
    private IEndpointQueue? _inner;
    private SoftwareTransmitter? _helper;
    private bool _closed;

    public bool IsPlugged => _inner is not null;

    /// <summary>Opens the queue at an endpoint.</summary>
    public void Plug(EndpointRun endpoint, EventLoop thread)
    {
        var accepted = acceptedRx & endpoint.Capabilities.RxGives;
        var opened = endpoint.Endpoint.OpenQueue(new EndpointQueueConfig
        {
            Index = index,
            Loop = endpoint.View(thread),
            Device = device,
            AcceptedRx = accepted,
            MaxRxFrame = (accepted & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : nic.Model.Mtu + FrameLimits.EthernetHeader,
            Counters = _counters,
        });
        // The guest was offered what the NIC's first endpoint takes; for one that takes less the rest is done here.
        var missing = nic.Endpoint.TxAccepts & ~endpoint.Capabilities.TxAccepts;
        _helper = missing == OffloadSet.None ? null : new SoftwareTransmitter(opened, endpoint.Capabilities.TxAccepts, _counters);
        _inner = _helper ?? opened;
    }

    /// <summary>Closes it there; the device notices only that the link is down.</summary>
    public void Unplug()
    {
        _inner?.Close();
        (_inner, _helper) = (null, null);
    }

    /// <summary>After a move: frames that the last endpoint did not take still wait in the guest's ring.</summary>
    public void Resume() => device.TransmitReady();

    public int Transmit(in TxBatch batch) => _inner is { } inner && nic.IsLinkUp ? inner.Transmit(batch) : Drop(batch.Frames.Length);

    public void ReceiveReady() => _inner?.ReceiveReady();

    public void Close()
    {
        if (_closed) return;
        _closed = true;
        nic.QueueClosed(index);
        Unplug();
    }

    private int Drop(int frames)
    {
        _helper?.Forget();
        for (var i = 0; i < frames; i++) _counters.DropTx(DropReason.LinkDown);
        return frames;
    }
}
