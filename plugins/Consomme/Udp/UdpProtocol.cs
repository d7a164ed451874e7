using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Consomme.Dns;
using NicHost.Consomme.Forwards;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Linux;

namespace NicHost.Consomme.Udp;

/// <summary>The guest's UDP: who sends from which of the host's sockets, and what may be sent.</summary>
internal sealed class UdpProtocol : IProtocol
{
    private readonly NatContext _context;
    private readonly Network _network;
    private readonly DnsForwarder _dns;
    private readonly UdpSender _sender;
    private bool _troubleTold;

    public UdpProtocol(NatContext context, UdpEgress egress, DnsForwarder dns)
    {
        _context = context;
        _network = context.Network;
        _dns = dns;
        Table = new UdpFlowTable(context);
        Errors = new UdpErrors(this, context);
        Receiver = new UdpReceiver(this, context, egress);
        _sender = new UdpSender(this, context);
        Forwards = new ForwardSet<UdpSocket>((forward, overlaps) => UdpSocket.Listen(this, context.Loop, forward, overlaps));
    }

    /// <summary>The forwards' open ports.</summary>
    public ForwardSet<UdpSocket> Forwards { get; }

    public UdpFlowTable Table { get; }

    public UdpErrors Errors { get; }

    public UdpReceiver Receiver { get; }

    public UdpSender Sender => _sender;

    public void FromGuest(ref GuestFrame frame)
    {
        var guest = new UdpEnd(frame.Source, BinaryPrimitives.ReadUInt16BigEndian(frame.Transport));
        var port = BinaryPrimitives.ReadUInt16BigEndian(frame.Transport[2..]);
        if (Table.FindPeer(new FlowKey(guest.Address, frame.Destination, guest.Port, port)) is { } peer)
        {
            Send(ref frame, peer, peer.Real);
            return;
        }
        var rule = _context.Model.Destinations.Decide(frame.Destination, port);
        if (rule.Verdict == DestinationVerdict.Dns)
        {
            _dns.FromGuest(ref frame, guest);
            return;
        }
        if (rule.Verdict != DestinationVerdict.Allowed || port == 0 || guest.Port == 0)
        {
            Refuse(ref frame, rule.Verdict);
            return;
        }
        var flow = Table.Find(guest) ?? Create(ref frame, guest);
        if (flow is not null) Send(ref frame, flow, Sock.Address(rule.Host, port));
    }

    public void EndBatch() => _sender.Flush();

    /// <summary>The options in force are others: their idle times hold at once, and clients of forwards that are gone go too.</summary>
    public void Reconfigured() => Table.Reconfigured();

    /// <summary>How the guest knows an address of the host's world that its own flow talked to.</summary>
    public UdpEnd Seen(in SockAddr real)
    {
        var address = Sock.Address(real);
        if (address.IsLoopback) address = address.IsV4 ? _network.GatewayV4 : _network.GatewayV6;
        return new UdpEnd(address, real.Port);
    }

    /// <summary>Whether an address of the host's world can be shown to the guest as it is.</summary>
    public bool IsPresentable(IpAddr address) =>
        !(address.IsLoopback || address.IsUnspecified || address.IsLinkLocal || address.IsMulticast || _network.InSubnet(address));

    /// <summary>The client of a forward that a datagram came from; new ones are made.</summary>
    public UdpFlow? PeerOf(UdpSocket socket, in SockAddr real)
    {
        if (Table.FindPeer(socket, real) is { } known) return known;
        var guest = new UdpEnd(_context.GuestAddresses.Target(socket.Forward!), socket.Forward!.GuestPort);
        var address = Sock.Address(real);
        var visible = new UdpEnd(address, real.Port);
        if (!IsPresentable(address))
        {
            // Loopback, and addresses that mean something else to the guest, hide behind the gateway. The mapping leads back to this
            // one client only: it does not open the host's loopback.
            visible = visible with { Address = address.IsV4 ? _network.GatewayV4 : _network.GatewayV6 };
            for (var i = 0; Table.FindPeer(new FlowKey(guest.Address, visible.Address, guest.Port, visible.Port)) is not null; i++)
            {
                if (i == 64) return null;
                visible = visible with { Port = (ushort)Random.Shared.Next(49152, 65536) };
            }
        }
        _sender.Flush();
        if (!Table.MakeRoom()) return null;
        var peer = new UdpFlow { Socket = socket, Guest = guest, IsPeer = true, Visible = visible, Real = real };
        Table.Add(peer);
        return peer;
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("flows", Table.Count);
        writer.Value("created", Table.Created);
        writer.Value("expired", Table.Expired);
        writer.Value("evicted", Table.Evicted);
        writer.Value("sentDatagrams", _sender.Datagrams);
        writer.Value("sendCalls", _sender.Calls);
        writer.Value("receivedDatagrams", Receiver.Datagrams);
        writer.Value("receiveCalls", Receiver.Calls);
        writer.Value("superFrames", Receiver.SuperFrames);
        writer.Value("errorsRelayed", Errors.Relayed);
        using (writer.Section("forwards"))
        {
            foreach (var socket in Forwards.Ports) writer.Value(socket.Bound.ToString(), socket.Forward!.Text);
        }
        using (writer.Section("recent"))
        {
            foreach (var flow in Table.Flows.OrderByDescending(f => f.LastUsed).Take(64))
                writer.Value(flow.IsPeer ? $"{flow.Visible} -> {flow.Guest}" : $"{flow.Guest}", $"sent {flow.Sent}, received {flow.Received}");
        }
    }

    public void Dispose()
    {
        Table.Dispose();
        Forwards.Dispose();
        Receiver.Dispose();
    }

    private void Send(ref GuestFrame frame, UdpFlow flow, in SockAddr to)
    {
        flow.Sent++;
        flow.Socket.Queue = frame.Queue;
        Table.Touch(flow);
        // We are a router to hosts beyond, but the gateway's own services are at the gateway.
        var hopLimit = _network.InSubnet(frame.Destination) ? frame.HopLimit : frame.HopLimit - 1;
        _sender.Add(ref frame, flow, to, hopLimit);
    }

    private UdpFlow? Create(ref GuestFrame frame, UdpEnd guest)
    {
        // Flows that give way now may have datagrams in the batch.
        _sender.Flush();
        if (!Table.MakeRoom())
        {
            _context.Port.Counters(frame.Queue).DropTx(DropReason.FlowLimit);
            return null;
        }
        var result = UdpSocket.Open(this, frame.IsV4, out var socket);
        if (result.Error is Errno.EMFILE or Errno.ENFILE && Table.EvictOldest())
            result = UdpSocket.Open(this, frame.IsV4, out socket);
        if (socket is null)
        {
            NoSocket(ref frame, result.Error);
            return null;
        }
        var flow = new UdpFlow { Socket = socket, Guest = guest };
        socket.Flow = flow;
        socket.SetMerging(TakesMerged(frame.Queue, frame.IsV4));
        socket.Queue = frame.Queue;
        Table.Add(flow);
        socket.Watch(_context.Loop);
        return flow;
    }

    /// <summary>Whether the guest takes several datagrams as one super-frame.</summary>
    public bool TakesMerged(int queue, bool v4) => (_context.Port.Accepted(queue) & (v4 ? OffloadSet.UsoV4 : OffloadSet.UsoV6)) != 0;

    private void Refuse(ref GuestFrame frame, DestinationVerdict verdict)
    {
        _context.Port.Counters(frame.Queue).DropTx(verdict == DestinationVerdict.Forbidden ? DropReason.Forbidden : DropReason.NotForUs);
        if (verdict == DestinationVerdict.Allowed) return; // port 0: nobody to tell
        var error = verdict == DestinationVerdict.Forbidden ? IcmpError.Prohibited
            : _network.IsGateway(frame.Destination) || _network.IsDns(frame.Destination) ? IcmpError.PortUnreachable : IcmpError.HostUnreachable;
        _context.Icmp.Send(ref frame, error);
    }

    private void NoSocket(ref GuestFrame frame, Errno error)
    {
        _context.Port.Counters(frame.Queue).DropTx(DropReason.HostError);
        if (Sock.Meaning(error) is { } meaning) _context.Icmp.Send(ref frame, meaning);
        if (_troubleTold || error is Errno.EAFNOSUPPORT) return;
        _troubleTold = true;
        _context.ReportTrouble($"No UDP socket for the guest: {LinuxException.Describe(error)}. Raise the limit on open files (ulimit -n), or lower limits.udpFlows.");
    }
}
