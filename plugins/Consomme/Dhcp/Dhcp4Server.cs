using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Dhcp;

/// <summary>Gives the one guest its one IPv4 address (RFC 2131).</summary>
internal sealed class Dhcp4Server(NatContext context, DomainConfig domains) : IInspectable
{
    public const uint LeaseSeconds = 86_400;
    private const int DefaultSize = 576;
    private const int IpUdp = FrameWriter.Ipv4Header + FrameWriter.UdpHeader;
    private const int MaxMessage = 1472;

    private readonly Network _network = context.Network;
    private readonly byte[] _request = new byte[MaxMessage];
    private string? _guestName;
    private long? _leasedAt;
    private bool _declined;

    public long Answered { get; private set; }

    public void FromGuest(ref GuestFrame frame)
    {
        var counters = context.Port.Counters(frame.Queue);
        var length = Math.Min(frame.TransportLength - FrameWriter.UdpHeader, _request.Length);
        var copied = SegmentOps.CopyTo(frame.Segments, frame.TransportOffset + FrameWriter.UdpHeader, _request.AsSpan(0, length));
        if (copied != length || !DhcpV4View.TryParse(_request.AsSpan(0, length), out var request) || request.Op != DhcpV4View.BootRequest)
            counters.DropTx(DropReason.Malformed);
        else if (request.HardwareAddress != _network.GuestMac.Value)
            counters.DropTx(DropReason.Spoofed);
        // There is no relay here, and who talks to another server does not want us.
        else if (request.RelayAddress != 0 || (request.TryGetUInt32(DhcpV4Option.ServerIdentifier, out var server) && server != _network.GatewayV4.V4))
            counters.DropTx(DropReason.NotForUs);
        else if (Answer(request, frame.Queue) is { } drop)
            counters.DropTx(drop);
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("address", _network.GuestV4.ToString());
        writer.Value("held", _leasedAt is not null);
        if (_leasedAt is { } at) writer.Value("renewedSecondsAgo", (context.Loop.NowMilliseconds - at) / 1000);
        writer.Value("guestName", _guestName);
        writer.Value("declined", _declined);
        writer.Value("answers", Answered);
    }

    private DropReason? Answer(in DhcpV4View request, int queue)
    {
        switch (request.MessageType)
        {
            case DhcpV4MessageType.Discover:
                var rapid = request.TryGetOption(DhcpV4Option.RapidCommit, out _);
                Reply(request, rapid ? DhcpV4MessageType.Ack : DhcpV4MessageType.Offer, queue, rapid);
                return null;
            case DhcpV4MessageType.Request:
                // SELECTING and INIT-REBOOT name the address in option 50, RENEWING and REBINDING in ciaddr (RFC 2131 4.3.2).
                var wanted = request.TryGetUInt32(DhcpV4Option.RequestedAddress, out var requested) ? requested : request.ClientAddress;
                if (wanted == 0) return DropReason.Malformed;
                Reply(request, wanted == _network.GuestV4.V4 ? DhcpV4MessageType.Ack : DhcpV4MessageType.Nak, queue);
                return null;
            case DhcpV4MessageType.Inform:
                Reply(request, DhcpV4MessageType.Ack, queue);
                return null;
            case DhcpV4MessageType.Release:
                if (_leasedAt is not null) Log.Released(context.Logger, _network.GuestV4);
                _leasedAt = null;
                return null;
            case DhcpV4MessageType.Decline:
                // The guest saw a duplicate. There is no other address to give: it will ask again and get the same.
                if (!_declined) Log.Declined(context.Logger, _network.GuestV4);
                _leasedAt = null;
                _declined = true;
                return null;
            default:
                return DropReason.Unsupported;
        }
    }

    [SkipLocalsInit]
    private void Reply(in DhcpV4View request, DhcpV4MessageType type, int queue, bool rapid = false)
    {
        const int start = FrameWriter.Ethernet + IpUdp;
        Span<byte> frame = stackalloc byte[FrameWriter.Ethernet + 1500];
        var said = request.TryGetOption(DhcpV4Option.MaxMessageSize, out var size) && size.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(size) : 0;
        var largest = Math.Min(Math.Max(said, DefaultSize), Math.Min(_network.Mtu, 1500)) - IpUdp;
        if (largest < DhcpV4Writer.MinLength) return;
        var informs = request.MessageType == DhcpV4MessageType.Inform;
        var isNak = type == DhcpV4MessageType.Nak;
        var writer = new DhcpV4Writer(
            frame.Slice(start, largest), DhcpV4View.BootReply, request.TransactionId, request.HardwareAddress, request.WantsBroadcast || isNak,
            type == DhcpV4MessageType.Ack ? request.ClientAddress : 0, isNak || informs ? 0 : _network.GuestV4.V4);
        writer.Add(type);
        writer.AddUInt32(DhcpV4Option.ServerIdentifier, _network.GatewayV4.V4);
        if (request.TryGetOption(DhcpV4Option.ClientIdentifier, out var client)) writer.Add(DhcpV4Option.ClientIdentifier, client); // RFC 6842
        if (rapid) writer.Add(DhcpV4Option.RapidCommit, []);
        if (!isNak) AddConfiguration(ref writer, request, informs);
        var length = writer.Finish();

        if (type == DhcpV4MessageType.Ack && !informs)
        {
            if (_leasedAt is null) Log.Leased(context.Logger, _network.GuestV4);
            _leasedAt = context.Loop.NowMilliseconds;
            if (request.TryGetOption(DhcpV4Option.HostName, out var name)) _guestName = Printable(name);
        }
        var to = Destination(request, isNak);
        FrameWriter.WriteIp(frame, _network, _network.GatewayV4, to, IpProtocol.Udp, FrameWriter.UdpHeader + length);
        if (to.IsBroadcast) frame[..6].Fill(0xff);
        FrameWriter.WriteUdp(
            frame[(start - FrameWriter.UdpHeader)..], _network.GatewayV4, DhcpV4View.ServerPort, to, DhcpV4View.ClientPort, length);
        if (context.Port.Send(queue, frame[..(start + length)], default, FrameWriter.PartialUdp(start - FrameWriter.UdpHeader))) Answered++;
    }

    private void AddConfiguration(ref DhcpV4Writer writer, in DhcpV4View request, bool informs)
    {
        if (!informs)
        {
            writer.AddUInt32(DhcpV4Option.LeaseTime, LeaseSeconds);
            writer.AddUInt32(DhcpV4Option.RenewalTime, LeaseSeconds / 2);
            writer.AddUInt32(DhcpV4Option.RebindingTime, LeaseSeconds / 8 * 7);
        }
        // Without these a guest has no network, whether it asked for them or not.
        writer.AddUInt32(DhcpV4Option.SubnetMask, _network.Mask);
        writer.AddUInt32(DhcpV4Option.Router, _network.GatewayV4.V4);
        writer.AddUInt32(DhcpV4Option.DnsServer, _network.DnsV4.V4);
        if (Wants(request, DhcpV4Option.InterfaceMtu)) writer.AddUInt16(DhcpV4Option.InterfaceMtu, (ushort)_network.Mtu);
        if (Wants(request, DhcpV4Option.BroadcastAddress)) writer.AddUInt32(DhcpV4Option.BroadcastAddress, _network.BroadcastV4);
        if (Wants(request, DhcpV4Option.HostName)) writer.AddText(DhcpV4Option.HostName, domains.Hostname);
        if (Wants(request, DhcpV4Option.DomainName)) writer.AddText(DhcpV4Option.DomainName, domains.Domain);
        if (Wants(request, DhcpV4Option.DomainSearch)) writer.AddDomainSearch(domains.Search);
    }

    private static bool Wants(in DhcpV4View request, byte option) =>
        !request.TryGetOption(DhcpV4Option.ParameterRequestList, out var list) || list.Contains(option);

    /// <summary>RFC 2131 4.1: to the address that the client has, else by its broadcast flag.</summary>
    private IpAddr Destination(in DhcpV4View request, bool isNak)
    {
        var broadcast = IpAddr.FromV4(uint.MaxValue);
        if (isNak) return broadcast;
        if (request.ClientAddress != 0) return request.ClientAddress == _network.GuestV4.V4 ? _network.GuestV4 : broadcast;
        return request.WantsBroadcast ? broadcast : _network.GuestV4;
    }

    private static string Printable(ReadOnlySpan<byte> name)
    {
        var text = Encoding.ASCII.GetString(name[..Math.Min(name.Length, 63)]);
        return string.Concat(text.Where(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_'));
    }
}
