using NicHost.Consomme.Core;
using NicHost.Linux;

namespace NicHost.Consomme.Udp;

/// <summary>An address and a port.</summary>
internal readonly record struct UdpEnd(IpAddr Address, ushort Port)
{
    public override string ToString() => Address.IsV4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}

/// <summary>
/// A mapping. Either a guest's own address and port with a socket to itself, whatever it talks to (RFC 4787 REQ-1), or one client of a
/// port forward, whose packets come and go through the forward's socket.
/// </summary>
internal sealed class UdpFlow
{
    public required UdpSocket Socket { get; init; }

    public required UdpEnd Guest { get; init; }

    /// <summary>Whether this is a client of a forward.</summary>
    public bool IsPeer { get; init; }

    /// <summary>Peer: the client as the guest sees it.</summary>
    public UdpEnd Visible { get; init; }

    /// <summary>Peer: the client as the host sees it.</summary>
    public SockAddr Real { get; init; }

    /// <summary>Peer: our address that the client talks to; replies leave from it.</summary>
    public IpAddr Local { get; set; }

    public FlowKey Key => new(Guest.Address, Visible.Address, Guest.Port, Visible.Port);

    public long LastUsed { get; set; }

    public long Sent { get; set; }

    public long Received { get; set; }

    /// <summary>Links of the list by last use, and which list it is in.</summary>
    public UdpFlow? Older { get; set; }

    public UdpFlow? Newer { get; set; }

    public UdpIdleList? List { get; set; }
}

/// <summary>Flows of one idle time, by last use: the head is the next to go. All operations are O(1).</summary>
internal sealed class UdpIdleList
{
    public UdpFlow? Head { get; private set; }

    private UdpFlow? _tail;

    public void Append(UdpFlow flow)
    {
        flow.List = this;
        flow.Older = _tail;
        flow.Newer = null;
        if (_tail is null) Head = flow;
        else _tail.Newer = flow;
        _tail = flow;
    }

    public void Remove(UdpFlow flow)
    {
        if (flow.Older is null) Head = flow.Newer;
        else flow.Older.Newer = flow.Newer;
        if (flow.Newer is null) _tail = flow.Older;
        else flow.Newer.Older = flow.Older;
        flow.Older = flow.Newer = null;
        flow.List = null;
    }

    public void MoveToEnd(UdpFlow flow)
    {
        if (_tail == flow) return;
        Remove(flow);
        Append(flow);
    }
}
