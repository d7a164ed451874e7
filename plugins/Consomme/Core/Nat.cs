using System.Buffers.Binary;
using NicHost.Consomme.Dhcp;
using NicHost.Consomme.Dns;
using NicHost.Consomme.Icmp;
using NicHost.Consomme.Ip;
using NicHost.Consomme.Neighbor;
using NicHost.Consomme.Tcp;
using NicHost.Consomme.Udp;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Wire;

namespace NicHost.Consomme.Core;

/// <summary>The NAT of one NIC: everything behind its queues, wired together. It lives as long as the endpoint; queues come and go.</summary>
internal sealed class Nat : IFrameSinks, IInspectable, IDisposable
{
    private readonly NatContext _context;
    private readonly Network _network;
    private readonly ArpResponder _arp;
    private readonly Dhcp4Server _dhcp4;
    private readonly Dhcp6Server? _dhcp6;
    private readonly NdpResponder? _ndp;
    private readonly IpSender _sender;
    private readonly DnsForwarder _dns;
    private readonly EchoProtocol _echo;
    private readonly TcpProtocol _tcp;
    private readonly UdpProtocol _udp;
    private readonly IProtocol[] _protocols;
    private readonly Stack<IDisposable> _owned = new();

    /// <exception cref="IOException">The host refuses a socket, or a forward's port.</exception>
    public Nat(NatContext context)
    {
        _context = context;
        _network = context.Network;
        try
        {
            _sender = new IpSender(_network, context.Port);
            var egress = new UdpEgress(context, _sender);
            _dns = Own(new DnsForwarder(context, egress));
            var dnsTcp = Own(new DnsTcpService(context, _dns));
            Ingress = Own(new Ingress(context, this));
            _arp = new ArpResponder(_network, context.Port);
            var domains = new DomainConfig(context, () => _dns.HostSearch);
            _dhcp4 = new Dhcp4Server(context, domains);
            if (_network.HasV6)
            {
                _dhcp6 = new Dhcp6Server(context, domains);
                _ndp = Own(new NdpResponder(context, domains));
            }
            _echo = Own(new EchoProtocol(context, _sender));
            _tcp = Own(new TcpProtocol(context, dnsTcp));
            _udp = Own(new UdpProtocol(context, egress, _dns));
            _protocols = [_tcp, _udp, _echo];
            Reconfigure(context.Model);
            if (context.Meters is { } meters) NatMeters.Make(meters, _tcp, _udp, _echo, _dns, Ingress.Reassembler);
        }
        catch
        {
            // A port forward could not listen: what was opened before it goes too.
            Dispose();
            throw;
        }
    }

    public Ingress Ingress { get; }

    /// <summary>Puts other options in force, all of them or none. On the loop.</summary>
    /// <exception cref="IOException">A port cannot be opened; the message names its forward. Everything is as before.</exception>
    public void Reconfigure(NatModel wanted)
    {
        using var tcp = _tcp.Listeners.Prepare(wanted.Forwards.Where(f => f.IsTcp));
        using var udp = _udp.Forwards.Prepare(wanted.Forwards.Where(f => !f.IsTcp));
        // Nothing fails from here on.
        _context.Model = wanted;
        tcp.Commit();
        udp.Commit();
        _tcp.Reconfigured();
        _udp.Reconfigured();
        _ndp?.Reconfigured();
        var (opened, closed) = (tcp.Opened + udp.Opened, tcp.Closed + udp.Closed);
        if (opened + closed > 0) Log.Forwards(_context.Logger, wanted.Forwards.Count, opened, closed);
    }

    public void Batch(in TxBatch batch, int queue, QueueCounters counters)
    {
        foreach (ref readonly var frame in batch.Frames)
            Ingress.Frame(batch.SegmentsOf(frame), frame.Length, frame.Offload, queue, counters);
        EndBatch();
    }

    public void EndBatch()
    {
        foreach (var protocol in _protocols) protocol.EndBatch();
    }

    public void Arp(int queue, ReadOnlySpan<byte> arp, QueueCounters counters) => _arp.FromGuest(queue, arp, counters);

    public bool Local(ref GuestFrame frame) => frame.IsV4 ? TryDhcp4(ref frame) : TryNdp(ref frame) || TryDhcp6(ref frame);

    public bool Unicast(ref GuestFrame frame)
    {
        switch (frame.Protocol)
        {
            case IpProtocol.Udp:
                if (frame.IsV4 ? TryDhcp4(ref frame) : TryDhcp6(ref frame)) return true;
                _udp.FromGuest(ref frame);
                return true;
            case IpProtocol.Tcp:
                _tcp.FromGuest(ref frame);
                return true;
            case IpProtocol.Icmp when frame.IsV4:
            case IpProtocol.Icmpv6 when !frame.IsV4:
                if (!TryNdp(ref frame)) _echo.FromGuest(ref frame);
                return true;
            default:
                return false;
        }
    }

    public void Inspect(InspectWriter writer)
    {
        using (writer.Section("options"))
        {
            var model = _context.Model;
            writer.Value("hostLoopback", model.Destinations.HostLoopback);
            writer.Value("hostname", model.Hostname);
            writer.Value("search", string.Join(' ', model.Dns.Search));
            writer.Value("tcpFlows", model.Limits.TcpFlows);
            writer.Value("halfOpen", model.Limits.HalfOpen);
            writer.Value("udpFlows", model.Limits.UdpFlows);
            writer.Value("echoFlows", model.Limits.EchoFlows);
            writer.Value("dnsQueries", model.Limits.DnsQueries);
        }
        writer.Section("dhcp", _dhcp4);
        if (_dhcp6 is not null) writer.Section("dhcp6", _dhcp6);
        if (_ndp is not null) writer.Section("ndp", _ndp);
        writer.Section("tcp", _tcp);
        writer.Section("udp", _udp);
        writer.Section("echo", _echo);
        writer.Section("dns", _dns);
        using (writer.Section("fragments"))
        {
            writer.Value("pending", Ingress.Reassembler.Pending);
            writer.Value("completed", Ingress.Reassembler.Completed);
            writer.Value("givenUp", Ingress.Reassembler.GivenUp);
            writer.Value("sent", _sender.Fragments);
        }
    }

    public void Dispose()
    {
        while (_owned.TryPop(out var one)) one.Dispose();
    }

    private T Own<T>(T one) where T : IDisposable
    {
        _owned.Push(one);
        return one;
    }

    private bool TryDhcp4(ref GuestFrame frame)
    {
        if (frame.Protocol != IpProtocol.Udp || BinaryPrimitives.ReadUInt16BigEndian(frame.Transport[2..]) != DhcpV4View.ServerPort) return false;
        var isOurs = frame.Destination.IsBroadcast || frame.Destination.V4 == _network.BroadcastV4 || frame.Destination == _network.GatewayV4;
        if (isOurs) _dhcp4.FromGuest(ref frame);
        return isOurs;
    }

    private bool TryDhcp6(ref GuestFrame frame)
    {
        if (_dhcp6 is null || !_dhcp6.IsForUs(frame)) return false;
        _dhcp6.FromGuest(ref frame);
        return true;
    }

    private bool TryNdp(ref GuestFrame frame)
    {
        if (_ndp is null || !NdpResponder.IsNdp(frame)) return false;
        _ndp.FromGuest(ref frame);
        return true;
    }
}
