using System.Globalization;
using Microsoft.Extensions.Logging;
using NicHost.Host.Machines;

namespace NicHost.Host.Control;

/// <summary>
/// Looks now and then whether the event loops turn: a plugin or a system call that does not return would hold up all NICs of its loop. The
/// service manager's watchdog gets signs of life only while all of them do.
/// </summary>
internal sealed class LoopWatch : IAsyncDisposable
{
    private static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(10);

    private readonly LoopBeats _beats;
    private readonly TimeSpan _period;
    private readonly Action _alive;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _watching;

    /// <param name="loops">The loops.</param>
    /// <param name="period">Between two looks; a loop that does not turn within one hangs.</param>
    /// <param name="alive">Called after each look at which all loops turned.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logging">Where logs go.</param>
    public LoopWatch(LoopPool loops, TimeSpan period, Action alive, TimeProvider time, ILoggerFactory logging)
    {
        (_period, _alive, _time) = (period, alive, time);
        _beats = new LoopBeats(loops, period, logging.CreateLogger("NicHost.Loops"));
        _watching = WatchAsync();
    }

    /// <summary>Half of what the service manager grants this process, as it advises; a period of our own without it.</summary>
    public static TimeSpan PeriodOf(string? watchdogMicroseconds, string? watchdogProcess)
    {
        var isForUs = watchdogProcess is null or "" || watchdogProcess == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isForUs && long.TryParse(watchdogMicroseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var granted) && granted > 1
            ? TimeSpan.FromMicroseconds(granted / 2) : DefaultPeriod;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _watching;
        _stopping.Dispose();
    }

    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                _beats.Start();
                await Task.Delay(_period, _time, _stopping.Token);
                if (_beats.Look()) _alive();
            }
        }
        catch (OperationCanceledException) { }
    }
}
