using System.Buffers.Binary;
using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <summary>What a router advertisement said.</summary>
public sealed record RouterAdvertisement
{
    public required Ip Router { get; init; }
    public bool Managed { get; init; }
    public bool OtherConfig { get; init; }
    public int LifetimeSeconds { get; init; }
    public int? Mtu { get; init; }
    public IReadOnlyList<(Ip Prefix, int Length, bool Autonomous)> Prefixes { get; init; } = [];
    public IReadOnlyList<Ip> DnsServers { get; init; } = [];
    public IReadOnlyList<string> SearchDomains { get; init; } = [];
}

/// <content>ICMPv6 and neighbour discovery (RFC 4861), address autoconfiguration (RFC 4862) without duplicate detection.</content>
public sealed unsafe partial class ProbeStack
{
    /// <summary>The last router advertisement.</summary>
    public RouterAdvertisement? Advertisement { get; private set; }

    /// <summary>Asks for routers.</summary>
    public bool SendRouterSolicitation()
    {
        Span<byte> message = stackalloc byte[16];
        message.Clear();
        message[0] = 133;
        message[8] = 1;
        message[9] = 1;
        Mac.CopyTo(message[10..]);
        return SendNdp(Ip.AllRouters, message);
    }

    private void SendNeighbourSolicitation(Ip target)
    {
        Span<byte> message = stackalloc byte[32];
        message.Clear();
        message[0] = 135;
        target.CopyTo(message[8..]);
        message[24] = 1;
        message[25] = 1;
        Mac.CopyTo(message[26..]);
        SendNdp(target.SolicitedNode(), message);
    }

    private bool SendNdp(Ip destination, ReadOnlySpan<byte> message)
    {
        var packet = new OutPacket
        {
            Source = LinkLocal,
            Destination = destination,
            Protocol = Proto.Icmpv6,
            HopLimit = 255,
            Header = message,
            ChecksumOffset = 2,
            Checksum = ChecksumKind.Pseudo,
        };
        return SendIp(ref packet);
    }

    private void ReceiveIcmpv6(in IpPacket packet)
    {
        if (packet.Length < 8 || !ChecksumHolds(packet, 2))
        {
            if (packet.Length < 8) Faults.Report("ICMPv6 message too short");
            return;
        }
        var message = Linear(packet);
        switch (message[0])
        {
            case 1 or 2 or 3 or 4: TakeIcmpError(packet, message, Proto.Ipv6Header); break;
            case 128: AnswerEcho(packet, message, 129, ChecksumKind.Pseudo); break;
            case 129: TakeEcho(packet, message); break;
            case >= 133 and <= 137 when packet.HopLimit != 255: Faults.Report("neighbour discovery with a hop limit other than 255"); break;
            case 134: TakeAdvertisement(packet, message); break;
            case 135: TakeSolicitation(packet, message); break;
            case 136: TakeNeighbour(message); break;
            default: Unclaimed?.Invoke(packet); break;
        }
    }

    private void TakeSolicitation(in IpPacket packet, ReadOnlySpan<byte> message)
    {
        if (message.Length < 24) return;
        var target = Ip.Read(message.Slice(8, 16));
        if (!IsOurs(target)) return;
        if (TryLinkAddress(message[24..], 1, out var mac) && !packet.Source.IsZero) _neighbours.Learn(packet.Source, mac);
        Span<byte> answer = stackalloc byte[32];
        answer.Clear();
        answer[0] = 136;
        answer[4] = packet.Source.IsZero ? (byte)0x20 : (byte)0x60;
        target.CopyTo(answer[8..]);
        answer[24] = 2;
        answer[25] = 1;
        Mac.CopyTo(answer[26..]);
        SendNdp(packet.Source.IsZero ? Ip.AllNodes : packet.Source, answer);
    }

    private void TakeNeighbour(ReadOnlySpan<byte> message)
    {
        if (message.Length < 24) return;
        if (TryLinkAddress(message[24..], 2, out var mac)) _neighbours.Learn(Ip.Read(message.Slice(8, 16)), mac);
    }

    private void TakeAdvertisement(in IpPacket packet, ReadOnlySpan<byte> message)
    {
        if (message.Length < 16 || !packet.Source.IsLinkLocal)
        {
            Faults.Report("router advertisement too short or not from a link-local address");
            return;
        }
        var prefixes = new List<(Ip, int, bool)>();
        var servers = new List<Ip>();
        int? mtu = null;
        var domains = new List<string>();
        for (var options = message[16..]; options.Length >= 8;)
        {
            var length = options[1] * 8;
            if (length == 0 || length > options.Length) break;
            var option = options[..length];
            switch (option[0])
            {
                case 1: _neighbours.Learn(packet.Source, new MacAddress(option[2..])); break;
                case 3 when length == 32: prefixes.Add((Ip.Read(option.Slice(16, 16)), option[2], (option[3] & 0x40) != 0)); break;
                case 5: mtu = BinaryPrimitives.ReadInt32BigEndian(option[4..]); break;
                case 25: for (var i = 8; i + 16 <= length; i += 16) servers.Add(Ip.Read(option.Slice(i, 16))); break;
                case 31: DnsName.ReadList(option[8..], domains); break;
            }
            options = options[length..];
        }
        Advertisement = new RouterAdvertisement
        {
            Router = packet.Source,
            Managed = (message[5] & 0x80) != 0,
            OtherConfig = (message[5] & 0x40) != 0,
            LifetimeSeconds = BinaryPrimitives.ReadUInt16BigEndian(message[6..]),
            Mtu = mtu,
            Prefixes = prefixes,
            DnsServers = servers,
            SearchDomains = domains,
        };
        Autoconfigure(Advertisement);
    }

    private void Autoconfigure(RouterAdvertisement advertisement)
    {
        if (advertisement.LifetimeSeconds > 0) Router6 = advertisement.Router;
        foreach (var (prefix, length, autonomous) in advertisement.Prefixes)
        {
            if (!autonomous || length != 64 || !Address6.IsZero) continue;
            Address6 = Ip.V6(prefix.Value | Ip.InterfaceId(Mac));
            PrefixLength6 = length;
        }
    }

    private static bool TryLinkAddress(ReadOnlySpan<byte> options, byte type, out MacAddress mac)
    {
        mac = default;
        while (options.Length >= 8)
        {
            var length = options[1] * 8;
            if (length == 0 || length > options.Length) return false;
            if (options[0] == type)
            {
                mac = new MacAddress(options[2..]);
                return true;
            }
            options = options[length..];
        }
        return false;
    }
}
