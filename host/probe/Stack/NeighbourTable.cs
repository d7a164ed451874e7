using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <summary>Who has which MAC address. Entries do not age: the probe lives for seconds.</summary>
internal sealed class NeighbourTable
{
    private readonly Dictionary<Ip, MacAddress> _known = [];
    private readonly Dictionary<Ip, long> _asked = [];

    /// <summary>Milliseconds between two questions for the same address.</summary>
    private const long AskAgainMs = 1000;

    public int Count => _known.Count;

    public bool TryGet(Ip address, out MacAddress mac) => _known.TryGetValue(address, out mac);

    public void Learn(Ip address, MacAddress mac)
    {
        _known[address] = mac;
        _asked.Remove(address);
    }

    public void Forget() => _known.Clear();

    /// <summary>Whether the time has come to ask for an address (again); counts as asked then.</summary>
    public bool ShouldAsk(Ip address, long nowMs)
    {
        if (_asked.TryGetValue(address, out var last) && nowMs - last < AskAgainMs) return false;
        _asked[address] = nowMs;
        return true;
    }
}
