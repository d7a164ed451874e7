using NicHost.Contracts.Loops;

namespace NicHost.NetVsp.Vmbus;

/// <content>
/// The loop that the bus lives on. Watches may be touched on their loop's thread only; whoever is on another one leaves word here and the loop
/// does it at its next turn.
/// </content>
internal sealed partial class VmBus
{
    private bool _rearmPosted;

    /// <summary>Watches again what is to be watched, at the next turn of the loop.</summary>
    public void RearmSoon()
    {
        if (_rearmPosted || _home is not { } home) return;
        _rearmPosted = true;
        home.Post(() => OnHome(home));
    }

    /// <summary>Stops the watches of a session that has ended.</summary>
    public void DisarmOnHome(BusSession session) => RunOnHome(session.Disarm);

    /// <summary>Disposes what holds a watch.</summary>
    public void DisposeOnHome(IDisposable watcher) => RunOnHome(watcher.Dispose);

    private void RunOnHome(Action action)
    {
        // Without a loop there are no watches any more: the last NIC's has taken them away.
        if (_home is null || _home.IsCurrent) action();
        else
        {
            _onHome.Add(action);
            RearmSoon();
        }
    }

    private void OnHome(IEventLoop loop)
    {
        lock (Gate)
        {
            // The bus has moved since: it was armed there.
            if (loop != _home) return;
            _rearmPosted = false;
            foreach (var action in _onHome) action();
            _onHome.Clear();
            Arm();
        }
    }

    private void Arm()
    {
        _listener?.Arm(Home);
        _session?.Arm(Home);
    }

    /// <summary>On the thread of the loop that goes: its watches go, another NIC's loop takes over.</summary>
    private void MoveHome()
    {
        _listener?.Disarm();
        _session?.Disarm();
        foreach (var action in _onHome) action();
        _onHome.Clear();
        _rearmPosted = false;
        _home = _devices.FirstOrDefault()?.Loop;
        RearmSoon();
    }
}
