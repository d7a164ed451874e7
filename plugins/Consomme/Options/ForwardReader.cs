using System.Globalization;
using NicHost.Consomme.Core;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Options;

namespace NicHost.Consomme.Options;

/// <summary>Reads port forwards and spreads out their ranges.</summary>
internal static class ForwardReader
{
    private const string Form = "Write tcp:127.0.0.1:2222-22, udp:[::1]:5353-53, or tcp:8000..8010-80..90 for ranges.";
    private static readonly IpAddr AnyV4 = IpAddr.FromV4(0);

    public static IReadOnlyList<Forward> Read(IReadOnlyList<string> texts, Network network, ICollection<OptionFault> faults)
    {
        var forwards = new List<Forward>();
        var seen = new Dictionary<(bool, IpAddr, ushort), int>();
        for (var i = 0; i < texts.Count; i++)
        {
            var before = forwards.Count;
            var path = $"$.forwards[{i}]";
            if (Add(texts[i], network, forwards) is { } fault)
            {
                faults.Add(new OptionFault(path, $"\"{texts[i]}\": {fault.What}", fault.Remedy));
                forwards.RemoveRange(before, forwards.Count - before);
                continue;
            }
            foreach (var forward in forwards.Skip(before).Where(f => f.HostPort != 0))
            {
                if (seen.TryAdd((forward.IsTcp, forward.Host, forward.HostPort), i)) continue;
                var other = seen[(forward.IsTcp, forward.Host, forward.HostPort)];
                faults.Add(new OptionFault(path, $"\"{texts[i]}\" takes host port {forward.HostPort}, as does $.forwards[{other}].", "Keep one of the two, or choose another port."));
                break;
            }
        }
        return forwards;
    }

    private static (string What, string Remedy)? Add(string text, Network network, List<Forward> forwards)
    {
        bool isTcp;
        if (text.StartsWith("tcp:", StringComparison.Ordinal)) isTcp = true;
        else if (text.StartsWith("udp:", StringComparison.Ordinal)) isTcp = false;
        else return ("it starts with neither tcp: nor udp:.", Form);
        var rest = text.AsSpan(4);
        var dash = rest.IndexOf('-');
        if (dash < 0) return ("the guest's port is missing.", Form);
        if (!Side.TryRead(rest[..dash], out var host)) return ($"\"{rest[..dash]}\" is not a port or address:port of the host.", Form);
        if (!Side.TryRead(rest[(dash + 1)..], out var guest)) return ($"\"{rest[(dash + 1)..]}\" is not a port or address:port of the guest.", Form);
        if (guest.First == 0) return ("the guest's port is 0.", "Use a port from 1 to 65535.");
        if (host.First == 0 && host.Last != 0) return ("the host's range starts at 0.", "Use ports from 1 to 65535.");
        if (host.Last - host.First != guest.Last - guest.First)
            return ($"the host's side has {host.Last - host.First + 1} ports, the guest's {guest.Last - guest.First + 1}.", "Give both the same number of ports.");
        if (GuestFault(host, guest, network) is { } fault) return fault;

        for (var i = 0; i <= host.Last - host.First; i++)
        {
            foreach (var address in HostAddresses(host, guest, network))
            {
                var target = guest.Address ?? (address.IsV4 ? network.GuestV4 : network.GuestV6);
                forwards.Add(new Forward(isTcp, address, (ushort)(host.First + i), target, (ushort)(guest.First + i), text));
            }
        }
        return null;
    }

    private static (string What, string Remedy)? GuestFault(in Side host, in Side guest, Network network)
    {
        if (guest.Address is { } address)
        {
            if (!network.IsGuestSource(address) || address.IsLinkLocal)
                return ($"{address} is not an address of the guest.", $"Leave it out, or use {network.GuestV4}{(network.HasV6 ? $" or [{network.GuestV6}]" : "")}.");
            if (host.Address is { } from && from.IsV4 != address.IsV4)
                return ("one side is IPv4, the other IPv6: the client's address could not be kept.", "Use the same IP version on both sides.");
        }
        return host.Address is { IsV4: false } && !network.HasV6 ? ("the guest is given no IPv6.", "Set \"ipv6\": true, or use an IPv4 address.") : null;
    }

    /// <summary>Without an address a forward listens on all, in each IP version that the guest's side has.</summary>
    private static IEnumerable<IpAddr> HostAddresses(Side host, Side guest, Network network)
    {
        if (host.Address is { } one)
        {
            yield return one;
            yield break;
        }
        if (guest.Address is null or { IsV4: true }) yield return AnyV4;
        if (network.HasV6 && guest.Address is null or { IsV4: false }) yield return default;
    }

    /// <summary><c>[ADDRESS:]PORT[..PORT]</c>, an IPv6 address in brackets.</summary>
    private readonly record struct Side(IpAddr? Address, int First, int Last)
    {
        public static bool TryRead(ReadOnlySpan<char> text, out Side side)
        {
            side = default;
            IpAddr? address = null;
            var colon = text.LastIndexOf(':');
            if (colon >= 0)
            {
                var host = text[..colon];
                var bracketed = host.Length > 2 && host[0] == '[' && host[^1] == ']';
                if (!AddressText.TryParse(bracketed ? host[1..^1] : host, out var parsed)) return false;
                address = IpAddr.From(parsed);
                if (address.Value.IsV4 == bracketed) return false;
            }
            var ports = text[(colon + 1)..];
            var dots = ports.IndexOf("..", StringComparison.Ordinal);
            if (!TryPort(dots < 0 ? ports : ports[..dots], out var first)) return false;
            var last = first;
            if (dots >= 0 && (!TryPort(ports[(dots + 2)..], out last) || last < first)) return false;
            side = new Side(address, first, last);
            return true;
        }

        private static bool TryPort(ReadOnlySpan<char> text, out int port) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;
    }
}
