using NicHost.Contracts.Loops;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Vmbus;

namespace NicHost.NetVsp;

/// <content>
/// The bus's side: channels open and close on the loops of their queues. The bus calls with its lock held from any thread; everything here is
/// posted, and answered from the loop that it ran on.
/// </content>
internal sealed partial class NetVspDevice : IChannelDevice
{
    private IBusChannel? _primary;

    public string Name => _context.Nic.ToString();

    public Guid Instance { get; }

    public IEventLoop Loop => _context.Loop;

    public void Open(int index, IBusChannel channel, Action<bool> opened)
    {
        if (index >= _queues.Length) Loop.Post(() => opened(false));
        else if (index == 0) Loop.Post(() => OpenPrimary(channel, opened));
        else Loop.Post(() => OpenSubchannel(index, channel, opened));
    }

    public void Close(int index, Action closed)
    {
        if (index >= _queues.Length)
        {
            Loop.Post(closed);
            return;
        }
        var queue = _queues[index];
        queue.Loop.Post(() =>
        {
            try
            {
                queue.Stop();
                if (index == 0) ClosePrimary();
            }
            finally { closed(); }
        });
    }

    public void DropBuffer(uint handle, Action dropped) => Loop.Post(() => _control.DropBuffer(handle, dropped));

    public void Fence(bool memory, Action passed) => OnAllQueues(queue =>
    {
        if (memory) queue.MemoryChanged();
    }, passed);

    public void Signal(int index)
    {
        if (index < _queues.Length) _queues[index].Loop.Post(_queues[index].Signal);
    }

    public void Report(string fault) => Backend.ReportGuestFault(fault);

    private void OpenPrimary(IBusChannel channel, Action<bool> opened)
    {
        var ok = false;
        try
        {
            _control.Reset();
            _primary = channel;
            ok = _queues[0].Start(channel, GuestSettings.Down);
        }
        finally { opened(ok); }
    }

    private void ClosePrimary()
    {
        _primary = null;
        _control.Reset();
    }

    /// <summary>A subchannel starts with what was agreed on the primary one, and gets its share of the receive buffer from it.</summary>
    private void OpenSubchannel(int index, IBusChannel channel, Action<bool> opened)
    {
        var (settings, buffers) = (_control.Rndis.Settings, _control.Buffers);
        var queue = _queues[index];
        queue.Loop.Post(() =>
        {
            var ok = false;
            try
            {
                ok = queue.Start(channel, settings);
                if (ok) queue.SetBuffers(buffers, 0, 0);
            }
            finally { opened(ok); }
            if (ok) Loop.Post(() => ShareSections(index));
        });
    }

    private void ShareSections(int index)
    {
        var buffers = _control.Buffers;
        if (buffers.Receive is null || _control.Subchannels == 0) return;
        var share = (buffers.SectionCount - NetQueue.ControlSections) / (_control.Subchannels + 1);
        var sections = _queues[0].CedeSections(share);
        var queue = _queues[index];
        // Settings may have changed while it was starting.
        var settings = _control.Rndis.Settings;
        queue.Loop.Post(() =>
        {
            queue.Configure(settings);
            queue.AdoptSections(buffers, sections);
        });
        _control.SubchannelOpened();
    }

    /// <summary>Runs work on each queue's loop, then <paramref name="done"/> on the last of them.</summary>
    private void OnAllQueues(Action<NetQueue> work, Action done)
    {
        var left = _queues.Length;
        foreach (var queue in _queues)
        {
            queue.Loop.Post(() =>
            {
                try { work(queue); }
                finally
                {
                    if (Interlocked.Decrement(ref left) == 0) done();
                }
            });
        }
    }
}
