using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using NicHost.Consomme.Core;
using NicHost.Wire;

namespace NicHost.Consomme.Tests.Dhcp;

/// <summary>Configuration messages as text, for snapshots: everything in them, in the order in which it is there.</summary>
internal static class ConfigText
{
    public static string Dhcp4(byte[] frame)
    {
        Assert.True(DhcpV4View.TryParse(frame.AsSpan(42), out var message));
        var text = Packet(frame).Append(CultureInfo.InvariantCulture, $"{message.MessageType} xid {message.TransactionId:x8}");
        text.Append(CultureInfo.InvariantCulture, $" ciaddr {V4(message.ClientAddress)} yiaddr {V4(message.YourAddress)} broadcast {message.WantsBroadcast}\n");
        var options = message.Options;
        while (options.MoveNext()) text.Append(CultureInfo.InvariantCulture, $"  {options.Code} {Dhcp4Value(options.Code, options.Data)}\n");
        return text.ToString();
    }

    public static string Dhcp6(byte[] frame)
    {
        Assert.True(DhcpV6View.TryParse(frame.AsSpan(62), out var message));
        var text = Packet(frame).Append(CultureInfo.InvariantCulture, $"{message.Type} transaction {message.TransactionId:x6}\n");
        Options(text, message.Options, "  ");
        return text.ToString();
    }

    public static string RouterAdvertisement(byte[] frame)
    {
        Assert.True(NdpView.TryParse(frame.AsSpan(54), out var message));
        var text = Packet(frame);
        text.Append(CultureInfo.InvariantCulture, $"router advertisement hop limit {message.CurrentHopLimit} flags {message.RouterFlags} lifetime {message.RouterLifetime}\n");
        var options = message.Options;
        while (options.MoveNext())
        {
            if (options.TryReadPrefix(out var prefix))
                text.Append(CultureInfo.InvariantCulture, $"  prefix {V6(prefix.Prefix)}/{prefix.Length} {prefix.Flags} valid {prefix.ValidSeconds} preferred {prefix.PreferredSeconds}\n");
            else if (options.TryReadMtu(out var mtu)) text.Append(CultureInfo.InvariantCulture, $"  mtu {mtu}\n");
            else text.Append(CultureInfo.InvariantCulture, $"  {options.Type} {Convert.ToHexString(options.Data)}\n");
        }
        return text.ToString();
    }

    private static StringBuilder Packet(byte[] frame)
    {
        var v4 = frame[12] == 8;
        var from = v4 ? IpAddr.FromV4(frame.AsSpan(26)) : IpAddr.FromV6(frame.AsSpan(22));
        var to = v4 ? IpAddr.FromV4(frame.AsSpan(30)) : IpAddr.FromV6(frame.AsSpan(38));
        return new StringBuilder($"{from} -> {to} mac {new Contracts.Nics.MacAddress(frame)}\n");
    }

    private static void Options(StringBuilder text, DhcpV6OptionReader options, string indent)
    {
        while (options.MoveNext())
        {
            if (options.TryReadIaNa(out var id, out var inner))
            {
                var t1 = BinaryPrimitives.ReadUInt32BigEndian(options.Data[4..]);
                var t2 = BinaryPrimitives.ReadUInt32BigEndian(options.Data[8..]);
                text.Append(CultureInfo.InvariantCulture, $"{indent}association {id:x8} renew {t1} rebind {t2}\n");
                Options(text, inner, indent + "  ");
            }
            else if (options.TryReadIaAddress(out var address, out var preferred, out var valid))
            {
                text.Append(CultureInfo.InvariantCulture, $"{indent}address {V6(address)} preferred {preferred} valid {valid}\n");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"{indent}{options.Code} {(options.Code == DhcpV6Option.DnsServers ? new IPAddress(options.Data).ToString() : Convert.ToHexString(options.Data))}\n");
            }
        }
    }

    private static string Dhcp4Value(byte code, ReadOnlySpan<byte> data) => code switch
    {
        1 or 3 or 6 or 28 or 50 or 54 => new IPAddress(data).ToString(),
        51 or 58 or 59 => BinaryPrimitives.ReadUInt32BigEndian(data).ToString(CultureInfo.InvariantCulture),
        26 => BinaryPrimitives.ReadUInt16BigEndian(data).ToString(CultureInfo.InvariantCulture),
        12 or 15 => Encoding.ASCII.GetString(data),
        _ => Convert.ToHexString(data),
    };

    private static string V4(uint address) => IpAddr.FromV4(address).ToString();

    private static string V6(UInt128 address) => IpAddr.FromV6(address).ToString();
}
