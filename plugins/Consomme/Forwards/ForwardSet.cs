namespace NicHost.Consomme.Forwards;

/// <summary>
/// The open ports of one protocol. A change is prepared first, which opens what is new and may fail without a trace, and then committed,
/// which cannot fail. A port that stays, wherever it leads to afterwards, keeps its very socket and who waits at it.
/// </summary>
/// <typeparam name="T">The protocol's kind of open port.</typeparam>
/// <param name="open">Opens a port; the flag says whether it overlaps with one that is about to go (<see cref="IForwardPort.AllowOverlap"/>).</param>
internal sealed class ForwardSet<T>(Func<Forward, bool, T> open) : IDisposable
    where T : class, IForwardPort
{
    private T[] _ports = [];

    /// <summary>The open ports, in the order of the forwards.</summary>
    public IReadOnlyList<T> Ports => _ports;

    /// <summary>Opens what is missing.</summary>
    /// <exception cref="IOException">A port cannot be opened; the message names its forward. Nothing has changed.</exception>
    public Change Prepare(IEnumerable<Forward> forwards)
    {
        Forward[] wanted = [.. forwards];
        var ports = new T?[wanted.Length];
        var spare = _ports.ToDictionary(port => (port.Host, port.Port));
        // Those of any port first: where such a one listens nobody asked for, so only what it leads to tells which it is.
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].HostPort != 0 || spare.Values.FirstOrDefault(p => p.Forward.IsSameAs(wanted[i])) is not { } kept) continue;
            spare.Remove((kept.Host, kept.Port));
            ports[i] = kept;
        }
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].HostPort != 0 && spare.Remove((wanted[i].Host, wanted[i].HostPort), out var kept)) ports[i] = kept;
        }
        var change = new Change(this, wanted, ports, [.. spare.Values]);
        change.Open();
        return change;
    }

    public void Dispose()
    {
        foreach (var port in _ports) port.Dispose();
        _ports = [];
    }

    /// <summary>A change that is ready: committed, or undone when it is disposed before.</summary>
    internal sealed class Change(ForwardSet<T> owner, Forward[] wanted, T?[] ports, T[] leaving) : IDisposable
    {
        private readonly List<T> _opened = [];
        private bool _committed;

        public int Opened => _opened.Count;

        public int Closed => leaving.Length;

        public void Open()
        {
            var leavingByPort = leaving.ToLookup(port => port.Port);
            try
            {
                for (var i = 0; i < ports.Length; i++)
                {
                    if (ports[i] is not null) continue;
                    _opened.Add(ports[i] = Open(wanted[i], [.. leavingByPort[wanted[i].HostPort].Where(p => wanted[i].Overlaps(p.Host))]));
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public void Commit()
        {
            _committed = true;
            for (var i = 0; i < ports.Length; i++) ports[i]!.Forward = wanted[i];
            owner._ports = ports!;
            foreach (var port in leaving) port.Retire();
        }

        public void Dispose()
        {
            if (_committed) return;
            foreach (var port in _opened) port.Dispose();
            _opened.Clear();
        }

        /// <summary>From all addresses to one, or back: the old socket is in the new one's way, and goes only when all else is sure.</summary>
        private T Open(Forward forward, T[] inTheWay)
        {
            foreach (var port in inTheWay) port.AllowOverlap(true);
            try
            {
                return owner.Opener(forward, inTheWay.Length > 0);
            }
            finally
            {
                foreach (var port in inTheWay) port.AllowOverlap(false);
            }
        }
    }

    private Func<Forward, bool, T> Opener => open;
}
