using System.Buffers.Binary;
using NicHost.Consomme.Dhcp;
using NicHost.Consomme.Icmp;
using NicHost.Consomme.Ip;
using NicHost.Consomme.Neighbor;
using NicHost.Consomme.Options;
using NicHost.Consomme.Tcp;
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
    private readonly IpSender _sender;
    private readonly EchoResponder _echo;
    private readonly TcpProtocol _tcp;
    private readonly IProtocol[] _protocols;

    public Nat(NatContext context, ConsommeSettings settings)
    {
        _context = context;
        _network = context.Network;
        Ingress = new Ingress(context, this);
        _arp = new ArpResponder(_network, context.Port);
        _dhcp4 = new Dhcp4Server(context, new DomainConfig(settings, () => []));
        _sender = new IpSender(_network, context.Port);
        _echo = new EchoResponder(_network, _sender);
        _tcp = new TcpProtocol(context);
        _protocols = [_tcp];
    }

    public Ingress Ingress { get; }

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

    public bool Local(ref GuestFrame frame)
    {
        if (frame.Protocol != IpProtocol.Udp) return false;
        return frame.IsV4 && IsDhcp4(frame) && Dhcp4(ref frame);
    }

    public bool Unicast(ref GuestFrame frame)
    {
        switch (frame.Protocol)
        {
            case IpProtocol.Udp when frame.IsV4 && _network.IsGateway(frame.Destination) && IsDhcp4(frame):
                return Dhcp4(ref frame);
            case IpProtocol.Tcp:
                _tcp.FromGuest(ref frame);
                return true;
            case IpProtocol.Icmp when frame.IsV4:
            case IpProtocol.Icmpv6 when !frame.IsV4:
                return _echo.TryAnswer(ref frame);
            default:
                return false;
        }
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Section("dhcp", _dhcp4);
        writer.Section("tcp", _tcp);
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
        foreach (var protocol in _protocols) protocol.Dispose();
        Ingress.Dispose();
    }

    private static bool IsDhcp4(in GuestFrame frame) =>
        BinaryPrimitives.ReadUInt16BigEndian(frame.Transport[2..]) == DhcpV4View.ServerPort;

    private bool Dhcp4(ref GuestFrame frame)
    {
        _dhcp4.FromGuest(ref frame);
        return true;
    }
}
