namespace NicHost.NetVsp.Vmbus;

/// <content>What is waited for while devices stop and start channels on their own loops.</content>
internal sealed partial class BusSession
{
    private int _pending;
    private Action? _then;

    private bool IsBusy => _pending > 0;

    /// <summary>Counts one more thing to wait for.</summary>
    /// <returns>To be called once, from any thread but never from within this call stack.</returns>
    private Action Awaiting(Action? done = null)
    {
        _pending++;
        return () =>
        {
            lock (_bus.Gate)
            {
                done?.Invoke();
                Finish();
            }
        };
    }

    /// <summary>Runs <paramref name="then"/> when nothing is waited for, perhaps at once.</summary>
    private void WhenIdle(Action then)
    {
        if (!IsBusy && _then is null)
        {
            then();
            return;
        }
        var before = _then;
        _then = before is null ? then : () => { before(); then(); };
    }

    private void Finish()
    {
        if (--_pending > 0) return;
        var then = _then;
        _then = null;
        then?.Invoke();
        if (!IsBusy && !_ended) _bus.RearmSoon();
    }

    /// <summary>Stops every channel that runs, then goes on.</summary>
    private void StopAll(Action then)
    {
        // Those that are just starting answer first; then they run, or not.
        WhenIdle(() =>
        {
            foreach (var channel in _channels.Values)
            {
                if (channel.State == ChannelState.Open) StopChannel(channel);
            }
            WhenIdle(then);
        });
    }

    private void StopChannel(Channel channel)
    {
        channel.State = ChannelState.Closing;
        channel.Device.Close(channel.Index, Awaiting(() =>
        {
            if (channel.State == ChannelState.Closing) channel.State = ChannelState.Offered;
            channel.Unplace();
        }));
    }

    private void DropChannels()
    {
        foreach (var channel in _channels.Values) channel.DropDescriptors();
        _channels.Clear();
        _gpadls.Clear();
    }
}
