using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Wire;

namespace NicHost.Consomme.Dhcp;

/// <summary>Gives the one guest its one IPv6 address, and the rest of the configuration (RFC 8415).</summary>
internal sealed class Dhcp6Server : IInspectable
{
    public const uint ValidSeconds = 86_400;
    public const uint PreferredSeconds = 43_200;
    private const uint RenewSeconds = PreferredSeconds / 2;
    private const uint RebindSeconds = PreferredSeconds / 5 * 4;
    private const int MaxMessage = 1232;

    private readonly NatContext _context;
    private readonly Network _network;
    private readonly DomainConfig _domains;
    private readonly byte[] _request = new byte[MaxMessage];
    private readonly byte[] _serverId;
    private long? _leasedAt;

    public Dhcp6Server(NatContext context, DomainConfig domains)
    {
        _context = context;
        _network = context.Network;
        _domains = domains;
        // DUID-LL of an Ethernet address (RFC 8415 11.4).
        _serverId = [0, 3, 0, 1, .. new byte[MacAddress.Size]];
        _network.GatewayMac.CopyTo(_serverId.AsSpan(4));
    }

    public long Answered { get; private set; }

    /// <summary>Whether a frame goes to where a server listens: All_DHCP_Relay_Agents_and_Servers, or the gateway itself.</summary>
    public bool IsForUs(in GuestFrame frame) =>
        !frame.IsV4 && frame.Protocol == IpProtocol.Udp && frame.Transport[2] == DhcpV6View.ServerPort >> 8 && frame.Transport[3] == (DhcpV6View.ServerPort & 0xff)
        && (_network.IsGateway(frame.Destination) || frame.Destination == new IpAddr(0xff02UL << 48, 0x1_0002));

    public void FromGuest(ref GuestFrame frame)
    {
        var counters = _context.Port.Counters(frame.Queue);
        var length = frame.TransportLength - FrameWriter.UdpHeader;
        if (length > MaxMessage
            || SegmentOps.CopyTo(frame.Segments, frame.TransportOffset + FrameWriter.UdpHeader, _request.AsSpan(0, length)) != length
            || !DhcpV6View.TryParse(_request.AsSpan(0, length), out var request))
        {
            counters.DropTx(DropReason.Malformed);
            return;
        }
        if (!Admissible(request)) counters.DropTx(DropReason.NotForUs);
        else Reply(request, frame.Source, frame.Queue);
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("address", _network.GuestV6.ToString());
        writer.Value("held", _leasedAt is not null);
        if (_leasedAt is { } at) writer.Value("renewedSecondsAgo", (_context.Loop.NowMilliseconds - at) / 1000);
        writer.Value("answers", Answered);
    }

    /// <summary>RFC 8415 16: which messages name a server, and which must not.</summary>
    private bool Admissible(in DhcpV6View request)
    {
        var hasClient = request.TryGetOption(DhcpV6Option.ClientId, out _);
        var hasServer = request.TryGetOption(DhcpV6Option.ServerId, out var server);
        var ours = hasServer && server.SequenceEqual(_serverId);
        return request.Type switch
        {
            DhcpV6MessageType.Solicit or DhcpV6MessageType.Rebind => hasClient && !hasServer,
            DhcpV6MessageType.Confirm => hasClient && !hasServer && HasAddress(request),
            DhcpV6MessageType.Request or DhcpV6MessageType.Renew or DhcpV6MessageType.Release or DhcpV6MessageType.Decline => hasClient && ours,
            DhcpV6MessageType.InformationRequest => !hasServer || ours,
            _ => false,
        };
    }

    [SkipLocalsInit]
    private void Reply(in DhcpV6View request, IpAddr client, int queue)
    {
        const int start = FrameWriter.Ethernet + FrameWriter.Ipv6Header + FrameWriter.UdpHeader;
        Span<byte> frame = stackalloc byte[start + MaxMessage];
        var rapid = request.Type == DhcpV6MessageType.Solicit && request.TryGetOption(DhcpV6Option.RapidCommit, out _);
        var type = request.Type == DhcpV6MessageType.Solicit && !rapid ? DhcpV6MessageType.Advertise : DhcpV6MessageType.Reply;
        var writer = new DhcpV6Writer(frame[start..], type, request.TransactionId);
        if (request.TryGetOption(DhcpV6Option.ClientId, out var id)) writer.Add(DhcpV6Option.ClientId, id);
        writer.Add(DhcpV6Option.ServerId, _serverId);
        if (rapid) writer.Add(DhcpV6Option.RapidCommit, []);
        if (type == DhcpV6MessageType.Advertise) writer.AddByte(DhcpV6Option.Preference, 255);
        switch (request.Type)
        {
            case DhcpV6MessageType.Confirm:
                writer.AddStatus(AllOnLink(request) ? DhcpV6Status.Success : DhcpV6Status.NotOnLink);
                break;
            case DhcpV6MessageType.Release or DhcpV6MessageType.Decline:
                writer.AddStatus(DhcpV6Status.Success);
                if (_leasedAt is not null) Log.Released(_context.Logger, _network.GuestV6);
                _leasedAt = null;
                break;
            default:
                AddConfiguration(ref writer, request, type);
                break;
        }
        FrameWriter.WriteIp(frame, _network, _network.GatewayLinkLocal, client, IpProtocol.Udp, FrameWriter.UdpHeader + writer.Length);
        FrameWriter.WriteUdp(
            frame[(start - FrameWriter.UdpHeader)..], _network.GatewayLinkLocal, DhcpV6View.ServerPort, client, DhcpV6View.ClientPort, writer.Length);
        var partial = FrameWriter.PartialUdp(start - FrameWriter.UdpHeader);
        if (_context.Port.Send(queue, frame[..(start + writer.Length)], default, partial)) Answered++;
    }

    private void AddConfiguration(ref DhcpV6Writer writer, in DhcpV6View request, DhcpV6MessageType reply)
    {
        if (request.Type != DhcpV6MessageType.InformationRequest)
        {
            AddAssociations(ref writer, request);
            if (reply == DhcpV6MessageType.Reply)
            {
                if (_leasedAt is null) Log.Leased(_context.Logger, _network.GuestV6);
                _leasedAt = _context.Loop.NowMilliseconds;
            }
        }
        writer.AddAddresses(DhcpV6Option.DnsServers, [_network.DnsV6.V6]);
        writer.AddDomains(DhcpV6Option.DomainList, _domains.Search);
        if (request.Type == DhcpV6MessageType.InformationRequest) writer.AddUInt32(DhcpV6Option.InformationRefreshTime, ValidSeconds);
    }

    /// <summary>The first association gets the address; whatever else is asked for is not to be had.</summary>
    private void AddAssociations(ref DhcpV6Writer writer, in DhcpV6View request)
    {
        var given = false;
        var options = request.Options;
        while (options.MoveNext())
        {
            if (options.TryReadIaNa(out var id, out var addresses))
            {
                var association = writer.BeginIaNa(id, given ? 0 : RenewSeconds, given ? 0 : RebindSeconds);
                if (given) writer.AddStatus(DhcpV6Status.NoAddrsAvail);
                else writer.AddIaAddress(_network.GuestV6.V6, PreferredSeconds, ValidSeconds);
                // Addresses that are not the client's (any more) end at once (RFC 8415 18.3.4).
                while (request.Type is DhcpV6MessageType.Renew or DhcpV6MessageType.Rebind && addresses.MoveNext())
                {
                    if (addresses.TryReadIaAddress(out var old, out _, out _) && (given || old != _network.GuestV6.V6)) writer.AddIaAddress(old, 0, 0);
                }
                writer.End(association);
                given = true;
            }
            else if (options.Code == DhcpV6Option.IaPd && options.Data.Length >= 4)
            {
                Span<byte> refusal = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)DhcpV6Option.StatusCode, 0, 2, 0, (byte)DhcpV6Status.NoPrefixAvail];
                options.Data[..4].CopyTo(refusal);
                writer.Add(DhcpV6Option.IaPd, refusal);
            }
        }
    }

    private static bool HasAddress(in DhcpV6View request)
    {
        var options = request.Options;
        while (options.MoveNext())
        {
            if (!options.TryReadIaNa(out _, out var addresses)) continue;
            while (addresses.MoveNext())
            {
                if (addresses.TryReadIaAddress(out _, out _, out _)) return true;
            }
        }
        return false;
    }

    private bool AllOnLink(in DhcpV6View request)
    {
        var options = request.Options;
        while (options.MoveNext())
        {
            if (!options.TryReadIaNa(out _, out var addresses)) continue;
            while (addresses.MoveNext())
            {
                if (addresses.TryReadIaAddress(out var address, out _, out _) && (ulong)(address >> 64) != _network.PrefixV6) return false;
            }
        }
        return true;
    }
}
