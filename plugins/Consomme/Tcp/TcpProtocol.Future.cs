using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Tcp;

/// <content>Text beyond a hole.</content>
internal sealed partial class TcpProtocol
{
    private void ProcessFuture(TcpFlow flow, ref GuestFrame frame, in TcpSegment segment, uint expected) =>
        Drop(flow.Queue, DropReason.OutOfWindow);

    private static int WriteSackOption(TcpFlow flow, Span<byte> options) => 0;
}
