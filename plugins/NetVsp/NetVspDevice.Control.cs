using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Nvsp;

namespace NicHost.NetVsp;

/// <content>The control side's view of the NIC, and the queues' view of the control side.</content>
internal sealed partial class NetVspDevice : INicHost, IQueueOwner
{
    public MacAddress Mac => _context.Mac;

    public int Mtu => _context.Mtu;

    public LinkState Link => Backend.Link;

    public int MaxQueues { get; private set; } = 1;

    public EndpointCapabilities Endpoint => Backend.Endpoint;

    public uint MaxVersion => NvspVersions.Parse(_options.NvspVersion)!.Value;

    public QueueCounters Counters(int queue) => Backend.Counters(queue);

    public GpaPages? FindBuffer(uint handle) => _primary?.FindBuffer(handle);

    /// <summary>The primary queue takes them now, since what the guest asks next may need them; the others on their own loops.</summary>
    public void Apply(BufferSet buffers, Action applied)
    {
        var first = Math.Min(NetQueue.ControlSections, buffers.SectionCount);
        _queues[0].SetControlSections(buffers);
        _queues[0].SetBuffers(buffers, first, buffers.SectionCount - first);
        if (_queues.Length == 1) applied();
        else OnAllQueues(queue =>
        {
            if (queue.Index > 0) queue.SetBuffers(buffers, 0, 0);
        }, applied);
    }

    public void Apply(GuestSettings settings)
    {
        _queues[0].Configure(settings);
        for (var i = 1; i < _queues.Length; i++)
        {
            var queue = _queues[i];
            queue.Loop.Post(() => queue.Configure(settings));
        }
    }

    public void Complete(ulong transaction, ReadOnlySpan<byte> message) => _queues[0].SendCompletion(transaction, message);

    public void SendRndis(byte[] message) => _queues[0].SendRndis(message);

    public void SendMessage(ReadOnlySpan<byte> message) => _queues[0].SendMessage(message, 0);

    public bool OfferSubchannels(int count) => _primary?.OfferSubchannels(count) ?? false;

    IReadOnlyList<NetQueue> IQueueOwner.Queues => _queues;

    string? IQueueOwner.Control(in ControlPacket packet) => _control.Handle(packet);

    void IQueueOwner.QueueFailed(int index, string reason)
    {
        Log.ChannelFailed(_log, index, reason);
        Backend.ReportGuestFault($"channel {index}: {reason}");
    }
}
