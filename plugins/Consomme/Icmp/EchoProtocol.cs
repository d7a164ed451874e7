using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Consomme.Ip;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicHost.Consomme.Icmp;

/// <summary>
/// Pings that really go out, through the kernel's unprivileged ping sockets. These give back the ICMP message alone, without an IP header, and
/// with an identifier of the kernel's choice.
/// </summary>
internal sealed unsafe partial class EchoProtocol : IProtocol
{
    /// <summary>RFC 5508 3.2 asks for at least 60 seconds.</summary>
    public const int IdleSeconds = 60;

    private const int Budget = 64;
    private const int EchoHeader = 8;

    private readonly Dictionary<(IpAddr, ushort), EchoFlow> _flows = [];
    private readonly NatContext _context;
    private readonly Network _network;
    private readonly IpSender _ip;
    private readonly EchoResponder _local;
    private readonly ILoopTimer _timer;
    private readonly IoVec[] _vectors = GC.AllocateArray<IoVec>(FrameLimits.MaxTxSegments + 1, pinned: true);
    private bool _refusalTold;

    public EchoProtocol(NatContext context, IpSender ip)
    {
        _context = context;
        _network = context.Network;
        _ip = ip;
        _local = new EchoResponder(_network, ip);
        _timer = context.Loop.CreateTimer(Expire);
    }

    public long Refused { get; private set; }

    public int FlowCount => _flows.Count;

    // Made when a ping is answered: most guests never ping, and a host has many.
    private byte[] Message => field ??= GC.AllocateUninitializedArray<byte>(FrameLimits.MaxFrame, pinned: true);

    public void FromGuest(ref GuestFrame frame)
    {
        var counters = _context.Port.Counters(frame.Queue);
        if (!EchoResponder.IsRequest(frame))
        {
            counters.DropTx(DropReason.Unsupported);
            return;
        }
        if (_local.TryAnswer(ref frame)) return;
        var rule = _context.Model.Destinations.Decide(frame.Destination, 0);
        if (rule.Verdict != DestinationVerdict.Allowed)
        {
            counters.DropTx(rule.Verdict == DestinationVerdict.Forbidden ? DropReason.Forbidden : DropReason.NotForUs);
            _context.Icmp.Send(ref frame, rule.Verdict == DestinationVerdict.Forbidden ? IcmpError.Prohibited : IcmpError.HostUnreachable);
            return;
        }
        var id = BinaryPrimitives.ReadUInt16BigEndian(frame.Transport[4..]);
        if (_flows.TryGetValue((frame.Source, id), out var flow) || TryOpen(ref frame, id, counters, out flow)) Send(ref frame, flow, rule.Host, counters);
    }

    public void EndBatch()
    {
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("flows", _flows.Count);
        writer.Value("answeredHere", _local.Answered);
        writer.Value("refusedByHost", Refused);
        using (writer.Section("recent"))
        {
            foreach (var flow in _flows.Values.OrderByDescending(f => f.LastUsed).Take(32))
                writer.Value($"{flow.Guest} id {flow.Id}", $"sent {flow.Sent}, received {flow.Received}");
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        foreach (var flow in _flows.Values) flow.Dispose();
        _flows.Clear();
    }

    private bool TryOpen(ref GuestFrame frame, ushort id, QueueCounters counters, out EchoFlow flow)
    {
        flow = null!;
        if (_flows.Count >= _context.Model.Limits.EchoFlows)
        {
            counters.DropTx(DropReason.FlowLimit);
            return false;
        }
        var made = Sockets.CreatePing(Sock.Family(frame.IsV4));
        if (made.Failed)
        {
            counters.DropTx(DropReason.HostError);
            Refused++;
            if (Sock.Meaning(made.Error) is { } meaning) _context.Icmp.Send(ref frame, meaning);
            TellRefusal(made.Error);
            return false;
        }
        flow = new EchoFlow(this, _context.Loop, made.Fd, frame.Source, id);
        _flows.Add((frame.Source, id), flow);
        if (!_timer.IsSet) _timer.Set(IdleSeconds * 1000);
        return true;
    }

    private void TellRefusal(Errno error)
    {
        if (_refusalTold) return;
        _refusalTold = true;
        _context.ReportTrouble(error is Errno.EACCES or Errno.EPERM
            ? "The host permits no ping sockets: the guest can ping the gateway only. Set net.ipv4.ping_group_range to include this process's group."
            : $"No ping socket for the guest: {LinuxException.Describe(error)}.");
    }

    private void Send(ref GuestFrame frame, EchoFlow flow, IpAddr to, QueueCounters counters)
    {
        flow.LastUsed = _context.Loop.NowMilliseconds;
        flow.Queue = frame.Queue;
        flow.SetMtuDiscover(frame.DontFragment ? MtuDiscover.Do : frame.IsV4 ? MtuDiscover.Dont : MtuDiscover.Want);
        var rest = System.Runtime.InteropServices.MemoryMarshal.Cast<IoVec, Segment>(_vectors.AsSpan(1));
        var vectors = SegmentOps.Slice(frame.Segments, frame.TransportOffset + EchoHeader, frame.TransportLength - EchoHeader, rest);
        if (vectors < 0)
        {
            counters.DropTx(DropReason.TooLong);
            return;
        }
        var name = Sock.Address(to, 0);
        ulong* control = stackalloc ulong[8];
        var writer = new ControlWriter(new Span<byte>(control, 64));
        var hopLimit = frame.HopLimit - 1;
        if (flow.IsV4) writer.TryAdd(SocketLevel.Ip, IpOption.Ttl, hopLimit);
        else writer.TryAdd(SocketLevel.Ipv6, Ipv6Option.HopLimit, hopLimit);
        // SAFETY: the header comes from our copy, fixed during the call; the vectors are pinned and point into memory lent for this call.
        fixed (byte* header = frame.Transport)
        {
            _vectors[0] = new IoVec(header, EchoHeader);
            var message = default(MsgHdr);
            message.Name = (nint)(&name);
            message.NameLength = (uint)name.Length;
            message.Segments = (IoVec*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref _vectors[0]);
            message.SegmentCount = (nuint)(vectors + 1);
            message.Control = (nint)control;
            message.ControlLength = (nuint)writer.Length;
            var result = Sockets.SendMsg(flow.Fd, &message, MsgFlags.DontWait);
            // An error about an earlier ping is told by the next call; taking it makes way.
            if (result.Failed && DrainErrors(flow) && result.Error != Errno.EMSGSIZE) result = Sockets.SendMsg(flow.Fd, &message, MsgFlags.DontWait);
            else if (result.Error == Errno.EMSGSIZE) return; // told by the error queue
            if (result.Ok)
            {
                flow.Sent++;
                return;
            }
            counters.DropTx(result.Error is Errno.EAGAIN or Errno.ENOBUFS ? DropReason.SocketFull : DropReason.HostError);
            if (Sock.Meaning(result.Error) is { } meaning) _context.Icmp.Send(ref frame, meaning);
        }
    }

    private void Expire()
    {
        var now = _context.Loop.NowMilliseconds;
        var next = long.MaxValue;
        foreach (var (key, flow) in _flows)
        {
            var due = flow.LastUsed + (IdleSeconds * 1000);
            if (due > now)
            {
                next = Math.Min(next, due);
                continue;
            }
            flow.Dispose();
            _flows.Remove(key); // allowed during enumeration of a Dictionary since .NET Core 3
        }
        if (next != long.MaxValue) _timer.Set(next - now);
    }
}
