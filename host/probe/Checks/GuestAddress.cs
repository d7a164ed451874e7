using System.Net;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <summary>An address that a guest is given by hand, with the length of its network's prefix.</summary>
public readonly record struct GuestAddress(Ip Address, int PrefixLength)
{
    /// <summary>Parses <c>192.0.2.2/24</c>; without a prefix it is 24, for IPv6 64.</summary>
    public static bool TryParse(string? text, out GuestAddress address)
    {
        address = default;
        var parts = (text ?? "").Split('/');
        if (parts.Length > 2 || !IPAddress.TryParse(parts[0], out var parsed)) return false;
        var ip = Ip.From(parsed);
        var length = ip.IsV6 ? 64 : 24;
        if (parts.Length == 2 && !int.TryParse(parts[1], out length)) return false;
        address = new GuestAddress(ip, length);
        return !ip.IsZero && !ip.IsGroup && length >= 0 && length <= ip.Size * 8;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLength}";
}
