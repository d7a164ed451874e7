using System.Globalization;
using System.Text;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <content>What goes to the probe's own services on the host's loopback.</content>
internal sealed partial class ProbeSession
{
    private const int TransferBytes = 32 << 20;

    public string Fetch()
    {
        var source = new BufferSource(Guest.Ram);
        source.Write(Encoding.ASCII.GetBytes($"GET {TransferBytes}\n"));
        var sink = new CountingSink(verify: true);
        var start = Stack.NowUs;
        var connection = Stack.Connect(Leased().Router, _services.TcpPort, source, sink);
        Until(() => connection.PeerFinished || connection.State == TcpState.Closed, $"Only {sink.Bytes} of {TransferBytes} bytes came.");
        if (sink.Bytes != TransferBytes || sink.Wrong > 0)
            throw new CheckFailedException(connection.Error ?? $"{sink.Bytes} of {TransferBytes} bytes came, {sink.Wrong} of them wrong.");
        source.Finish();
        connection.Touch();
        Until(() => connection.State == TcpState.Closed, "The connection does not close.");
        return $"{TransferBytes >> 20} MiB from the host, all bytes right, {Rate(TransferBytes, Stack.NowUs - start)}";
    }

    public string Send()
    {
        var request = Encoding.ASCII.GetBytes($"PUT {TransferBytes}\n");
        var source = new PrefixedSource(Guest.Ram, request, TransferBytes);
        var sink = new BufferSink();
        var start = Stack.NowUs;
        var connection = Stack.Connect(Leased().Router, _services.TcpPort, source, sink);
        Until(() => connection.PeerFinished || connection.State == TcpState.Closed, $"Only {connection.Acknowledged} bytes were taken.");
        var answer = Encoding.ASCII.GetString(sink.Content).Trim();
        if (answer != $"{TransferBytes} right") throw new CheckFailedException(connection.Error ?? $"The server says: {answer}");
        Until(() => connection.State == TcpState.Closed, "The connection does not close.");
        return $"{TransferBytes >> 20} MiB to the host, all bytes right, {Rate(TransferBytes, Stack.NowUs - start)}";
    }

    public string UdpEcho()
    {
        int[] sizes = [1, 100, 1000, target.Mtu - 28, 4000, 8000];
        var port = Stack.OpenUdp();
        byte[]? came = null;
        port.Received = (_, _, payload) => came = payload.ToArray();
        foreach (var size in sizes)
        {
            var payload = new byte[size];
            PatternSource.Fill(payload, size);
            came = null;
            var sent = false;
            Until(() => (sent |= !sent && Stack.SendUdp(port, Leased().Router, _services.UdpPort, payload)) && came is not null, $"{size} bytes did not come back.");
            if (!came.AsSpan().SequenceEqual(payload)) throw new CheckFailedException($"{size} bytes came back changed.");
        }
        Stack.Close(port);
        return $"{string.Join(", ", sizes)} bytes came back";
    }

    private static string Rate(long bytes, long microseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes * 8 / Math.Max(1, microseconds) / 1000.0:0.0} Gbit/s");
}
