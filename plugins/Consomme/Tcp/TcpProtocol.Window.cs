using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>
/// The window told to the guest: the room in the socket's send buffer. It is looked up rarely (one system call), and kept honest: a guest
/// that fills it loses nothing.
/// </content>
internal sealed partial class TcpProtocol
{
    /// <summary>The widest window: what 16 bits say at our scale.</summary>
    private const int MaxWindow = ushort.MaxValue << OwnScale;

    /// <summary>Asks the kernel for the room in the send buffer.</summary>
    private static void LookAtRoom(TcpFlow flow)
    {
        flow.SentSinceLook = 0;
        if (flow.Spill is not null)
        {
            flow.Room = 0;
            return;
        }
        if (Sockets.GetMemory(flow.Fd, out var memory).Failed) return;
        var free = (long)memory.SndBuf - memory.SndQueued;
        flow.Room = (int)Math.Clamp(free, 0, MaxWindow);
        // The kernel calls a socket writable when a third is free, and only then tells so (sk_stream_is_writeable).
        if (free < memory.SndQueued / 2) WaitForWritable(flow);
    }

    /// <summary>
    /// Arms the socket's EPOLLOUT. Arming anew makes the kernel note that somebody waits for room, without which it neither wakes us nor
    /// lets the send buffer grow; if there is room by now, the event comes at once.
    /// </summary>
    private static void WaitForWritable(TcpFlow flow)
    {
        if (flow.WaitsForWritable || flow.Watch is null) return;
        flow.WaitsForWritable = true;
        flow.Watch.Events = HostEvents;
    }

    /// <summary>Moves the window's right edge to what the socket has room for. Called once per batch, before an acknowledgement is sent.</summary>
    private static void UpdateWindow(TcpFlow flow)
    {
        if (flow.Fd < 0 || flow.State is not (TcpState.Established or TcpState.FinWait1 or TcpState.FinWait2)) return;
        // While little was sent since, the last look is good enough: request and response cost no look each.
        if (flow.SentSinceLook > flow.Room / 4 || flow.Room == 0) LookAtRoom(flow);
        var room = Math.Max(0, flow.Room - flow.SentSinceLook);
        var limit = flow.RcvScale == 0 ? ushort.MaxValue : MaxWindow;
        var edge = flow.RcvNxt + (uint)Math.Min(room, limit);
        if (Seq.After(edge, flow.RcvEdge)) flow.RcvEdge = edge;
    }

    /// <summary>The socket has room again.</summary>
    private void HostWritable(TcpFlow flow)
    {
        flow.WaitsForWritable = false;
        if (!DrainSpill(flow))
        {
            if (flow.State != TcpState.Free) WaitForWritable(flow);
            return;
        }
        if (flow.Future is not null) DeliverFuture(flow);
        if (flow.State == TcpState.Free) return;
        var before = flow.RcvEdge;
        flow.Room = 0;
        UpdateWindow(flow);
        var grown = flow.RcvEdge - before;
        // RFC 9293 3.8.6.2.2: told when it is worth a segment. The guest was last told of what the edge was before.
        if (grown >= (uint)Math.Min(OwnMss(flow.IsV4), Math.Max(1, flow.Room / 2)) || flow.AckPending) SendAck(flow);
    }

    /// <summary>
    /// Whether an acknowledgement may wait for the host's answer to carry it, which saves the guest a frame and an interrupt (RFC 9293
    /// 3.8.6.3). Only where one small request was followed by one answer several times in a row: a guest whose Nagle holds back a second
    /// small segment sends two, and a late answer ends the habit.
    /// </summary>
    private bool MayWait(TcpFlow flow, int length)
    {
        const int Habit = 4;
        const int LongestWait = 20;
        if (flow.Exchanges < Habit || flow.Unanswered != 1 || length >= flow.Mss / 2 || flow.AckPending || flow.Future is not null) return false;
        flow.AckAt = _loop.NowMilliseconds + LongestWait;
        _wheel.Ensure(flow, flow.AckAt);
        return true;
    }
}
