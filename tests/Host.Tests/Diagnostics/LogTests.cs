using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using NicHost.Host.Diagnostics.Logging;

namespace NicHost.Host.Tests.Diagnostics;

public sealed partial class LogTests
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 6, TimeSpan.Zero));

    [Fact]
    public void Text_has_time_level_category_id_and_message()
    {
        var lines = Write(new LogSettings(), logging => LogAttached(logging.CreateLogger("NicHost.Nics"), "web/eth0", 3));
        Assert.Equal(["2026-01-02T03:04:05.006Z info  NicHost.Nics[7] web/eth0: 3 attached."], lines);
    }

    [Fact]
    public void Journal_has_a_priority_on_every_line_and_no_time()
    {
        var lines = Write(new LogSettings { Format = LogFormat.Journal }, logging => LogBroken(logging.CreateLogger("A"), new FormatException("bad\nworse")));
        Assert.Equal(["<3>A[8] Broken.", "<3>    System.FormatException: bad", "<3>    worse"], lines);
    }

    [Fact]
    public void Json_has_the_values_with_their_types()
    {
        var line = Assert.Single(Write(new LogSettings { Format = LogFormat.Json }, logging => LogMany(logging.CreateLogger("A"), "x\"y", ulong.MaxValue, true, 1.5, [1, 2], null)));
        using var json = JsonDocument.Parse(line);
        var entry = json.RootElement;
        Assert.Equal(["time", "level", "category", "eventId", "event", "message", "values"], entry.EnumerateObject().Select(m => m.Name));
        Assert.Equal("2026-01-02T03:04:05.006000Z", entry.GetProperty("time").GetString());
        Assert.Equal("warning", entry.GetProperty("level").GetString());
        Assert.Equal("LogMany", entry.GetProperty("event").GetString());
        Assert.Equal("""{"text":"x\u0022y","number":18446744073709551615,"yes":true,"half":1.5,"list":[1,2],"none":null}""", entry.GetProperty("values").GetRawText());
    }

    [Fact]
    public void What_a_guest_wrote_forges_no_lines()
    {
        foreach (var format in new[] { LogFormat.Text, LogFormat.Journal, LogFormat.Json })
        {
            var line = Assert.Single(Write(new LogSettings { Format = format }, logging => LogAttached(logging.CreateLogger("A"), "evil\r\n2026-01-02 error \u001b[31m", 1)));
            Assert.DoesNotContain('\u001b', line);
        }
    }

    [Theory]
    [InlineData("", "A=Information B=Information A.B=Information")]
    [InlineData("warning", "A=Warning B=Warning A.B=Warning")]
    [InlineData("warning,A=debug", "A=Debug B=Warning A.B=Debug")]
    [InlineData(" A = debug , error, A.B=NONE", "A=Debug B=Error A.B=None")]
    public void Levels_go_by_category(string levels, string expected)
    {
        using var logging = LogSink.Factory(new LogSettings().With(levels), TextWriter.Null, _time);
        var actual = new[] { "A", "B", "A.B" }.Select(category => $"{category}={Enum.GetValues<LogLevel>().First(level => level == LogLevel.None || logging.CreateLogger(category).IsEnabled(level))}");
        Assert.Equal(expected, string.Join(' ', actual));
    }

    [Theory]
    [InlineData("loud", "\"loud\" is no log level.")]
    [InlineData("A=loud", "\"loud\" is no log level.")]
    [InlineData("=debug", "\"=debug\" names no category.")]
    public void Levels_that_cannot_be_read_are_told(string levels, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => new LogSettings().With(levels)).Message, StringComparison.Ordinal);

    [Fact]
    public void Reader_that_is_stuck_blocks_nobody_and_learns_how_much_was_lost()
    {
        using var writer = new StuckWriter();
        using (var logging = LogSink.Factory(new LogSettings(), writer, _time))
        {
            var log = logging.CreateLogger("NicHost.Test");
            LogAttached(log, "first", 0);
            Assert.True(writer.Reached.Wait(TimeSpan.FromSeconds(20)));
            for (var i = 0; i < 5000; i++) LogAttached(log, "more", i);
            writer.Free.Set();
        }
        var lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // One is written, 4096 wait, the rest found no room.
        Assert.Contains("warn  NicHost.Logs[600] 904 log entries were lost", lines[1], StringComparison.Ordinal);
        Assert.Equal(4096 + 2, lines.Length);
    }

    private string[] Write(LogSettings settings, Action<ILoggerFactory> log)
    {
        var text = new StringWriter { NewLine = "\n" };
        using (var logging = LogSink.Factory(settings, text, _time)) log(logging);
        return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [LoggerMessage(7, LogLevel.Information, "{Nic}: {Count} attached.")]
    private static partial void LogAttached(ILogger log, string nic, int count);

    [LoggerMessage(8, LogLevel.Error, "Broken.")]
    private static partial void LogBroken(ILogger log, Exception e);

    [LoggerMessage(9, LogLevel.Warning, "{Text} {Number} {Yes} {Half} {List} {None}")]
    private static partial void LogMany(ILogger log, string text, ulong number, bool yes, double half, int[] list, string? none);

    /// <summary>Holds whoever writes the first line until it is freed.</summary>
    private sealed class StuckWriter : StringWriter
    {
        public ManualResetEventSlim Reached { get; } = new();

        public ManualResetEventSlim Free { get; } = new();

        public override async Task WriteLineAsync(string? value)
        {
            Reached.Set();
            await Task.Run(Free.Wait);
            Write(value + "\n");
        }
    }
}
