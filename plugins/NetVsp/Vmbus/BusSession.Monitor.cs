using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Vmbus;

/// <content>Monitor pages, polled by us where the client asks for it.</content>
internal sealed unsafe partial class BusSession
{
    private nint _monitorPage;

    private void StartPolling(ulong address)
    {
        var page = _memory.Ram.Map.Translate(address, GpaPages.PageSize);
        if (page == null || address % GpaPages.PageSize != 0)
        {
            Mistake($"the monitor page at 0x{address:x} is not a page of the guest's memory");
            return;
        }
        _monitorPage = (nint)page;
        _poller = new MonitorPoller((uint*)page, _bus.Gate, MonitorSignalled);
        _bus.RearmSoon();
    }

    /// <summary>The bus's loop may be another thread's: the watch goes there.</summary>
    private void StopPolling()
    {
        if (_poller is not { } poller) return;
        _poller = null;
        _monitorPage = 0;
        poller.Stop();
        _bus.DisposeOnHome(poller);
    }

    private void MonitorSignalled(int id)
    {
        foreach (var channel in _channels.Values)
        {
            if (channel.MonitorId == id && channel.State == ChannelState.Open) channel.Device.Signal(channel.Index);
        }
    }
}
