using NicHost.Contracts.Diagnostics;
using NicHost.Linux;

namespace NicHost.Consomme.Tcp;

/// <content>What an operator sees.</content>
internal sealed partial class TcpProtocol
{
    private const int ShownFlows = 64;

    public void Inspect(InspectWriter writer)
    {
        writer.Value("flows", _flows.Count);
        writer.Value("halfOpen", _halfOpen);
        writer.Value("openedByGuest", _opened);
        writer.Value("accepted", _accepted);
        writer.Value("spilledBytes", _spilledBytes);
        using (writer.Section("states"))
        {
            foreach (var group in _flows.Values.GroupBy(f => f.State).OrderBy(g => g.Key))
                writer.Value(InspectWriter.CamelCase(group.Key.ToString()), group.Count());
        }
        using (writer.Section("closed"))
        {
            foreach (var reason in Enum.GetValues<CloseReason>())
            {
                if (_closed[(int)reason] is > 0 and var count) writer.Value(InspectWriter.CamelCase(reason.ToString()), count);
            }
        }
        using (writer.Section("listeners"))
        {
            foreach (var listener in Listeners.Ports)
            {
                using (writer.Section(listener.Forward.Text))
                {
                    writer.Value("port", listener.Port);
                    writer.Value("accepted", listener.Accepted);
                    writer.Value("paused", listener.IsPaused);
                }
            }
        }
        using (writer.Section("list"))
        {
            foreach (var flow in _flows.Values.Take(ShownFlows)) Inspect(writer, flow);
        }
    }

    private static void Inspect(InspectWriter writer, TcpFlow flow)
    {
        using var section = writer.Section(flow.Key.ToString());
        writer.Value("state", InspectWriter.CamelCase(flow.State.ToString()));
        writer.Value("inbound", flow.IsInbound);
        writer.Value("fromGuest", flow.RcvNxt - flow.Irs);
        writer.Value("window", flow.RcvEdge - flow.RcvNxt);
        writer.Value("toGuest", flow.SndMax - flow.Iss);
        writer.Value("inFlight", flow.SndMax - flow.SndUna);
        writer.Value("guestWindow", flow.SndWnd);
        writer.Value("mss", flow.Mss);
        writer.Value("rttMs", flow.Rtt.Smoothed);
        writer.Value("rtoMs", flow.Rtt.Timeout);
        writer.Value("retransmits", flow.Retransmits);
        writer.Value("sackRanges", flow.Sack.Count);
        writer.Value("mayHaveMore", flow.CanRead);
        writer.Value("unread", flow.Fd < 0 ? 0 : (long)Sockets.ReceiveQueue(flow.Fd).Value - (flow.SndMax - flow.HostBase));
        writer.Value("spilled", flow.Spill?.Pending.Length ?? 0);
    }
}
