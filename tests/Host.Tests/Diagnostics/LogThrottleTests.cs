using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NicHost.Host.Diagnostics.Logging;

namespace NicHost.Host.Tests.Diagnostics;

public sealed partial class LogThrottleTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));

    [Fact]
    public void Guest_that_errs_without_end_gets_a_burst_and_then_a_line_a_second()
    {
        var lines = Write(logging =>
        {
            var log = logging.CreateLogger("NicHost.Nics");
            for (var i = 0; i < 1000; i++) LogFault(log, "web/eth0", i);
            _time.Advance(TimeSpan.FromSeconds(1));
            for (var i = 0; i < 10; i++) LogFault(log, "web/eth0", 2000 + i);
        });
        var expected = Enumerable.Range(0, LogThrottle.Burst).Select(i => $"<4>NicHost.Nics[5] web/eth0: {i}")
            .Append("<4>NicHost.Logs[601] 980 more like the next one were left out: 20 of a kind pass at once, then one a second.")
            .Append("<4>NicHost.Nics[5] web/eth0: 2000");
        Assert.Equal(expected, lines);
    }

    [Fact]
    public void One_NICs_entries_leave_those_of_others_alone()
    {
        var lines = Write(logging =>
        {
            var log = logging.CreateLogger("NicHost.Nics");
            for (var nic = 0; nic < 200; nic++) LogFault(log, $"vm{nic}/eth0", 1);
        });
        Assert.Equal(200, lines.Length);
    }

    [Fact]
    public void What_the_host_says_of_itself_and_what_was_asked_for_passes()
    {
        var lines = Write(logging =>
        {
            for (var i = 0; i < 100; i++)
            {
                LogFault(logging.CreateLogger("NicHost.Plugins"), "x", i);
                LogDetail(logging.CreateLogger("Virtio.web/eth0"), i);
            }
        });
        Assert.Equal(200, lines.Length);
    }

    [Fact]
    public void Allowance_fills_again_but_not_beyond_the_burst()
    {
        var throttle = new LogThrottle(_time);
        Assert.Equal(LogThrottle.Burst, Passing(throttle));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(5, Passing(throttle));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(LogThrottle.Burst, Passing(throttle));
    }

    private static int Passing(LogThrottle throttle) =>
        Enumerable.Range(0, 100).Count(i => throttle.Passes("Virtio.web/eth0", LogLevel.Warning, 1, null, out var leftOut));

    private string[] Write(Action<ILoggerFactory> log)
    {
        var text = new StringWriter { NewLine = "\n" };
        using (var logging = LogSink.Factory(new LogSettings { Format = LogFormat.Journal, Level = LogLevel.Debug }, text, _time)) log(logging);
        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [LoggerMessage(5, LogLevel.Warning, "{Nic}: {Number}")]
    private static partial void LogFault(ILogger log, string nic, int number);

    [LoggerMessage(6, LogLevel.Debug, "{Number}")]
    private static partial void LogDetail(ILogger log, int number);
}
