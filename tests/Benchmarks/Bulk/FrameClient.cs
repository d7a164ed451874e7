using System.Diagnostics;
using NicHost.Probe.Driver;
using NicHost.Probe.Stack;

namespace NicHost.Benchmarks.Bulk;

/// <summary>Frames without a network behind them: what the device alone can do.</summary>
internal sealed unsafe class FrameClient : IDisposable
{
    private readonly IGuest _guest;
    private readonly byte* _payload;

    /// <param name="guest">Becomes the client's.</param>
    public FrameClient(IGuest guest)
    {
        _guest = guest;
        _payload = new PatternSource(_guest.Ram).Memory;
    }

    /// <summary>Frames per second that the device takes.</summary>
    public double Send(TimeSpan time, int size)
    {
        var start = Stopwatch.GetTimestamp();
        var before = BulkGuest.Sent(_guest);
        _guest.RunUntil(() => Fill(size), time);
        return (BulkGuest.Sent(_guest) - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Frames per second that come back from the loopback endpoint.</summary>
    public double SendAndReceive(TimeSpan time, int size)
    {
        var start = Stopwatch.GetTimestamp();
        var before = _guest.FramesReceived;
        _guest.RunUntil(() => Fill(size), time);
        return (_guest.FramesReceived - before) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public void Dispose() => _guest.Dispose();

    private bool Fill(int size)
    {
        Span<byte> header = stackalloc byte[14];
        header.Clear();
        _guest.Mac.CopyTo(header);
        header[12] = 0x88;
        header[13] = 0xb5;
        for (var i = 0; i < 64 && _guest.TryBegin(0, 64, out var room); i++)
        {
            header.CopyTo(room);
            if (size <= 64) _guest.Send(size, null, 0, default);
            else _guest.Send(14, _payload, size - 14, default);
        }
        return false;
    }
}
