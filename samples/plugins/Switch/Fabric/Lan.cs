using NicHost.Contracts.Nics;

namespace Samples.Switch.Fabric;

/// <summary>
/// One network: the ports of a switch that can reach each other, and the addresses behind them. Loops read both without a lock, from
/// whole snapshots; who changes one makes another. Changes are rare: each port has a limit of addresses, and one that is in use does not move.
/// </summary>
internal sealed class Lan(string name, int? vlan)
{
    /// <summary>An address from which nothing came for so long is forgotten (IEEE 802.1Q, 8.8.3).</summary>
    public const long AgeMilliseconds = 300_000;

    /// <summary>An address from which nothing came for so long may turn up behind another port. Until then it is taken for a forgery.</summary>
    public const long QuietMilliseconds = 5_000;

    private readonly Lock _gate = new();
    private volatile Port[] _ports = [];
    private volatile Dictionary<MacAddress, Station> _stations = [];

    public string Name => name;

    public int? Vlan => vlan;

    public Port[] Ports => _ports;

    public IReadOnlyDictionary<MacAddress, Station> Stations => _stations;

    public Station? Find(MacAddress address) => _stations.GetValueOrDefault(address);

    /// <summary>Adds a port with its NIC's address.</summary>
    /// <returns>The port that has this address already; then nothing was added.</returns>
    public Port? Join(Port port)
    {
        lock (_gate)
        {
            if (_stations.TryGetValue(port.Address, out var present))
            {
                if (present.IsFixed) return present.Port;
                present.Port.Learned--;
            }
            _stations = new(_stations) { [port.Address] = new Station(port.Address, port, isFixed: true) };
            _ports = [.. _ports, port];
            return null;
        }
    }

    /// <summary>Takes a port out, with all of its addresses.</summary>
    public void Leave(Port port)
    {
        lock (_gate)
        {
            _ports = [.. _ports.Where(p => p != port)];
            _stations = new(_stations.Where(s => s.Value.Port != port));
            port.Learned = 0;
        }
    }

    /// <summary>
    /// Whether a frame from <paramref name="address"/> may come from <paramref name="port"/>. A new address is learned if the port has room
    /// for it. On the port's loop.
    /// </summary>
    public bool Admit(MacAddress address, Port port, long now)
    {
        var station = Find(address);
        if (station is not null && station.Port == port)
        {
            // Not for every frame: readers on other cores have this line in their caches.
            if (!station.IsFixed && now - station.Seen >= 1000) station.Seen = now;
            return true;
        }
        // Guests that forge addresses get no further than here, and take no lock.
        if (port.Learned >= port.MaxLearned || (station is not null && !station.MayMove(now))) return false;
        return Learn(address, port, now);
    }

    /// <summary>Forgets the addresses of a port that nothing came from in a long time, or all but its NIC's.</summary>
    public void Forget(Port port, long? agedAt = null)
    {
        if (port.Learned == 0) return;
        lock (_gate)
        {
            var gone = _stations.Values.Where(s => s.Port == port && !s.IsFixed && (agedAt is not { } now || !s.IsKnown(now))).ToHashSet();
            if (gone.Count == 0) return;
            _stations = new(_stations.Where(s => !gone.Contains(s.Value)));
            port.Learned -= gone.Count;
        }
    }

    private bool Learn(MacAddress address, Port port, long now)
    {
        lock (_gate)
        {
            if (_stations.TryGetValue(address, out var present))
            {
                if (!present.MayMove(now)) return false;
                present.Port.Learned--;
            }
            _stations = new(_stations) { [address] = new Station(address, port, isFixed: false) { Seen = now } };
            port.Learned++;
            return true;
        }
    }
}
