using NicHost.Linux;

namespace NicHost.Probe.Driver;

/// <content>Sleeping until something happens.</content>
public sealed unsafe partial class ProbeGuest
{
    private void Wait()
    {
        var armed = true;
        for (var i = 0; i < _rx.Length; i++)
        {
            armed &= _rx[i].WantCall(true);
            _waits[2 * i] = new PollFd { Fd = _rx[i].Call.Raw, Events = PollEvents.In };
            _waits[(2 * i) + 1] = new PollFd { Fd = _tx[i].Call.Raw, Events = PollEvents.In };
            if (!_tx[i].Starved) continue;
            _tx[i].WantCall(true);
            armed &= _tx[i].Reclaim() == 0;
        }
        _waits[^2] = new PollFd { Fd = Frontend.Channel.Raw, Events = PollEvents.In };
        _waits[^1] = new PollFd { Fd = Frontend.BackendChannel, Events = PollEvents.In };
        if (armed)
        {
            Sleeps++;
            Io.Poll(_waits, Stack.NextPollMs);
        }
        for (var i = 0; i < _rx.Length; i++)
        {
            if (_waits[2 * i].Returned != PollEvents.None) _rx[i].Call.Drain();
            if (_waits[(2 * i) + 1].Returned != PollEvents.None) _tx[i].Call.Drain();
            _rx[i].WantCall(false);
            if (_tx[i].Starved) _tx[i].WantCall(false);
        }
        if (_waits[^2].Returned != PollEvents.None) Disconnected = true;
        if (_waits[^1].Returned != PollEvents.None) Frontend.ServeBackendChannel();
    }
}
