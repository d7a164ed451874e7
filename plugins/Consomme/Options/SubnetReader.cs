using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Core;
using NicHost.Contracts.Options;

namespace NicHost.Consomme.Options;

/// <summary>Reads the two networks of a guest.</summary>
internal static class SubnetReader
{
    private const string V4Path = "$.subnet";
    private const string V6Path = "$.ipv6Prefix";

    public static (uint Subnet, int Prefix) ReadV4(string text, ICollection<OptionFault> faults)
    {
        const string remedy = "Write it as 10.0.2.0/24.";
        var fallback = (0x0a000200u, 24);
        if (!TrySplit(text, out var address, out var bits) || address.AddressFamily != AddressFamily.InterNetwork)
        {
            faults.Add(new OptionFault(V4Path, $"\"{text}\" is not an IPv4 network.", remedy));
            return fallback;
        }
        if (bits is < 8 or > 29)
        {
            faults.Add(new OptionFault(V4Path, $"A prefix of {bits} bits leaves no usable network.", "Use 8 to 29 bits."));
            return fallback;
        }
        var value = IpAddr.From(address);
        var mask = uint.MaxValue << (32 - bits);
        if ((value.V4 & ~mask) != 0)
        {
            var network = IpAddr.FromV4(value.V4 & mask);
            faults.Add(new OptionFault(V4Path, $"\"{text}\" is an address inside a network, not a network.", $"Did you mean {network}/{bits}?"));
        }
        if (value.IsUnspecified || value.IsLoopback || value.IsMulticast || value.IsLinkLocal || value.V4 >> 28 == 0xf || value.V4 >> 24 == 0)
            faults.Add(new OptionFault(V4Path, $"\"{text}\" is reserved: no guest can use it.", "Use a private network, such as 10.0.2.0/24."));
        return (value.V4 & mask, bits);
    }

    public static ulong ReadV6(string text, ICollection<OptionFault> faults)
    {
        if (!TrySplit(text, out var address, out var bits) || address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            faults.Add(new OptionFault(V6Path, $"\"{text}\" is not an IPv6 network.", "Write it as fd00:10:0:2::/64."));
            return 0;
        }
        var value = IpAddr.From(address);
        if (bits != 64)
            faults.Add(new OptionFault(V6Path, $"\"{text}\" has {bits} bits.", "Use 64 bits: guests form their own addresses only in a /64."));
        else if (value.Low != 0)
            faults.Add(new OptionFault(V6Path, $"\"{text}\" is an address inside a network, not a network.", $"Did you mean {new IpAddr(value.High, 0)}/64?"));
        if (value.IsMulticast || value.IsLinkLocal || value.High == 0)
            faults.Add(new OptionFault(V6Path, $"\"{text}\" is reserved: no guest can use it.", "Use a unique local prefix, such as fd00:10:0:2::/64."));
        return value.High;
    }

    private static bool TrySplit(string text, out IPAddress address, out int bits)
    {
        address = IPAddress.None;
        bits = 0;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && AddressText.TryParse(text.AsSpan(0, slash), out address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits);
    }
}

/// <summary>Addresses as people write them, without the shorthands that IPAddress also takes ("10.1" for 10.0.0.1).</summary>
internal static class AddressText
{
    public static bool TryParse(ReadOnlySpan<char> text, out IPAddress address)
    {
        if (!IPAddress.TryParse(text, out var parsed) || (parsed.AddressFamily == AddressFamily.InterNetwork && text.Count('.') != 3))
        {
            address = IPAddress.None;
            return false;
        }
        address = parsed;
        return true;
    }
}
