using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Machines;

/// <summary>What device and endpoint see of the host.</summary>
internal sealed partial class NicRun : INicBackend, IEndpointHost
{
    private bool _adminUp = true;
    private ulong _link;

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

    private bool IsLinkUp => Volatile.Read(ref _link) >> 32 != 0;

    public IEventLoop Loop(int index) => _loops[index];

    public QueueCounters Counters(int index) => _record.Counters(index);

    public IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx)
    {
        if (index < 0 || index >= MaxQueues) throw new InvalidOperationException($"There is no queue {index}: this NIC has {MaxQueues}.");
        if (!_loops[index].IsCurrent) throw new InvalidOperationException($"Queue {index} is opened on its own loop.");
        if (_queues[index] is not null) throw new InvalidOperationException($"Queue {index} is open already.");
        var accepted = acceptedRx & Endpoint.RxGives;
        var config = new EndpointQueueConfig
        {
            Index = index,
            Loop = _loops[index],
            Device = queue,
            AcceptedRx = accepted,
            MaxRxFrame = (accepted & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : _record.Model.Mtu + FrameLimits.EthernetHeader,
            Counters = Counters(index),
        };
        var tracked = new TrackedQueue(this, index, config.Counters, _endpoint.OpenQueue(config));
        _queues[index] = tracked;
        return tracked;
    }

    public void ReportAttachment(string? peer) => _record.Attachment(peer);

    public void ReportGuestFault(string reason) => _record.GuestFault(reason);

    public void ReportTrouble(string reason) => _record.Trouble(reason);

    public void LinkChanged() => _loops[0].Post(() => RefreshLink(tellDevice: true));

    private void RefreshLink(bool tellDevice)
    {
        var behind = _endpoint.Link;
        var now = new LinkState(_adminUp && behind.IsUp, behind.SpeedMbps);
        if (now == Link) return;
        Volatile.Write(ref _link, ((now.IsUp ? 1UL : 0UL) << 32) | now.SpeedMbps);
        if (tellDevice) _device.SetLink(now);
    }

    /// <summary>Knows whether a queue is open, and lets nothing pass while the link is down.</summary>
    private sealed class TrackedQueue(NicRun run, int index, QueueCounters counters, IEndpointQueue inner) : IEndpointQueue
    {
        private bool _closed;

        public int Transmit(in TxBatch batch) => !_closed && run.IsLinkUp ? inner.Transmit(batch) : Drop(batch.Frames.Length);

        public void ReceiveReady()
        {
            if (!_closed) inner.ReceiveReady();
        }

        public void Close()
        {
            if (_closed) return;
            _closed = true;
            run._queues[index] = null;
            inner.Close();
        }

        private int Drop(int frames)
        {
            for (var i = 0; i < frames; i++) counters.DropTx(DropReason.LinkDown);
            return frames;
        }
    }
}
