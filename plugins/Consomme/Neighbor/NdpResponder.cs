using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Consomme.Dhcp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Wire;

namespace NicHost.Consomme.Neighbor;

/// <summary>The guest's IPv6 router: solicitations, advertisements, neighbours (RFC 4861), DNS options (RFC 8106).</summary>
internal sealed class NdpResponder : IInspectable, IDisposable
{
    public const ushort RouterSeconds = 1800;
    public const uint ValidSeconds = 86_400;
    public const uint PreferredSeconds = 14_400;

    // RFC 4861 6.2.1 and 10: the first few advertisements come quickly.
    private const int MinIntervalSeconds = 200;
    private const int MaxIntervalSeconds = 600;
    private const int InitialIntervalSeconds = 16;
    private const int InitialAdvertisements = 3;
    private const int MaxMessage = 1200;
    private const int MaxSolicitation = 512;

    private static readonly IpAddr AllNodes = new(0xff02UL << 48, 1);
    private static readonly MacAddress AllNodesMac = new([0x33, 0x33, 0, 0, 0, 1]);

    private readonly NatContext _context;
    private readonly Network _network;
    private readonly DomainConfig _domains;
    private readonly ILoopTimer _timer;
    private string[] _told;
    private int _unsolicited;

    public NdpResponder(NatContext context, DomainConfig domains)
    {
        _context = context;
        _network = context.Network;
        _domains = domains;
        _told = domains.Search;
        _timer = context.Loop.CreateTimer(AdvertiseUnasked);
        _timer.Set(InitialIntervalSeconds * 1000);
    }

    public long Advertisements { get; private set; }

    public long Neighbors { get; private set; }

    public static bool IsNdp(in GuestFrame frame) =>
        frame.Protocol == IpProtocol.Icmpv6 && frame.Transport[0] is >= Icmpv6Type.RouterSolicitation and <= 137;

    [SkipLocalsInit]
    public void FromGuest(ref GuestFrame frame)
    {
        var counters = _context.Port.Counters(frame.Queue);
        Span<byte> message = stackalloc byte[MaxSolicitation];
        message = message[..Math.Min(frame.TransportLength, MaxSolicitation)];
        // A hop limit below 255 shows that the message has crossed a router (RFC 4861 7.1).
        if (frame.HopLimit != 255 || frame.TransportLength > MaxSolicitation
            || SegmentOps.CopyTo(frame.Segments, frame.TransportOffset, message) != message.Length || !NdpView.TryParse(message, out var view))
        {
            counters.DropTx(DropReason.Malformed);
            return;
        }
        switch (view.Type)
        {
            case Icmpv6Type.RouterSolicitation:
                Advertise(frame.Queue, frame.Source.IsUnspecified ? AllNodes : frame.Source);
                break;
            case Icmpv6Type.NeighborSolicitation:
                Solicited(frame, IpAddr.FromV6(view.Target));
                break;
            case Icmpv6Type.NeighborAdvertisement:
                if (_network.IsGuestSource(IpAddr.FromV6(view.Target))) _context.GuestAddresses.Seen(IpAddr.FromV6(view.Target));
                break;
            default:
                // A guest that poses as a router, or redirects us.
                counters.DropTx(DropReason.Forbidden);
                break;
        }
    }

    /// <summary>The options in force are others. RFC 4861 6.2.4: what has changed is told at once, and a few times, as at the beginning.</summary>
    public void Reconfigured()
    {
        if (_told.SequenceEqual(_domains.Search)) return;
        _told = _domains.Search;
        _unsolicited = 0;
        _timer.Set(0);
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("routerAdvertisements", Advertisements);
        writer.Value("neighborAdvertisements", Neighbors);
        writer.Value("guest", _context.GuestAddresses.V6.ToString());
    }

    public void Dispose() => _timer.Dispose();

    private void AdvertiseUnasked()
    {
        if (_context.Port.IsOpen) Advertise(0, AllNodes);
        var quick = ++_unsolicited < InitialAdvertisements;
        _timer.Set((quick ? InitialIntervalSeconds : Random.Shared.Next(MinIntervalSeconds, MaxIntervalSeconds)) * 1000L);
    }

    [SkipLocalsInit]
    private void Advertise(int queue, IpAddr to)
    {
        Span<byte> frame = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + MaxMessage];
        var writer = NdpWriter.RouterAdvertisement(
            frame[(FrameWriter.Ethernet + FrameWriter.Ipv6Header)..], 64, RouterFlags.ManagedAddresses | RouterFlags.OtherConfiguration, RouterSeconds);
        writer.LinkAddress(NdpOption.SourceLinkAddress, _network.GatewayMac.Value);
        writer.Mtu((uint)_network.Mtu);
        writer.Prefix(new NdpPrefix(
            new IpAddr(_network.PrefixV6, 0).V6, 64, PrefixFlags.OnLink | PrefixFlags.Autonomous, ValidSeconds, PreferredSeconds));
        writer.Rdnss(RouterSeconds, [_network.DnsV6.V6]);
        writer.Dnssl(RouterSeconds, Fitting(_domains.Search));
        if (Send(queue, frame, ref writer, _network.GatewayLinkLocal, to)) Advertisements++;
    }

    [SkipLocalsInit]
    private void Solicited(in GuestFrame frame, IpAddr target)
    {
        var isRouter = _network.IsGateway(target);
        if (!isRouter && !_network.IsDns(target))
        {
            // No source: the guest asks whether the address is free (RFC 4862 5.4.2). Silence says yes.
            if (frame.Source.IsUnspecified) _context.GuestAddresses.Seen(target);
            return;
        }
        Span<byte> reply = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + 64];
        var probe = frame.Source.IsUnspecified;
        var flags = NeighborFlags.Override | (isRouter ? NeighborFlags.Router : 0) | (probe ? 0 : NeighborFlags.Solicited);
        var writer = NdpWriter.NeighborAdvertisement(reply[(FrameWriter.Ethernet + FrameWriter.Ipv6Header)..], target.V6, flags);
        writer.LinkAddress(NdpOption.TargetLinkAddress, _network.GatewayMac.Value);
        if (Send(frame.Queue, reply, ref writer, target, probe ? AllNodes : frame.Source)) Neighbors++;
    }

    private bool Send(int queue, Span<byte> frame, ref NdpWriter writer, IpAddr source, IpAddr destination)
    {
        var length = writer.Finish(source.V6, destination.V6);
        var at = FrameWriter.WriteIp(frame, _network, source, destination, IpProtocol.Icmpv6, length, 255);
        if (destination.IsMulticast) AllNodesMac.CopyTo(frame);
        return _context.Port.Send(queue, frame[..(at + length)]);
    }

    /// <summary>As many names as surely fit beside the other options.</summary>
    private static ReadOnlySpan<string> Fitting(string[] names)
    {
        var room = MaxMessage - 256;
        var count = 0;
        while (count < names.Length && (room -= names[count].Length + 2) >= 0) count++;
        return names.AsSpan(0, count);
    }
}
