using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary>
/// Logs to a writer from a thread of its own: a full pipe must not stop a loop. What finds no room is counted and the count is told.
/// </summary>
internal sealed partial class LogSink : ILoggerProvider
{
    private const int Room = 4096;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Room) { SingleReader = true });
    private readonly TextWriter _writer;
    private readonly LogFormat _format;
    private readonly TimeProvider _time;
    private readonly LogThrottle _throttle;
    private readonly Task _pump;
    private long _lost;

    public LogSink(TextWriter writer, LogFormat format, TimeProvider time)
    {
        (_writer, _format, _time, _throttle) = (writer, format, time, new LogThrottle(time));
        _pump = Task.Run(PumpAsync);
    }

    /// <summary>The host's logging: what <paramref name="settings"/> let through goes to <paramref name="writer"/>.</summary>
    public static ILoggerFactory Factory(LogSettings settings, TextWriter writer, TimeProvider time)
    {
        var filter = new LoggerFilterOptions { MinLevel = settings.Level };
        foreach (var (category, level) in settings.Rules) filter.Rules.Add(new LoggerFilterRule(null, category, level, null));
        var factory = new LoggerFactory([], filter);
        // Added, not given to the constructor: only so it is disposed with the factory.
        factory.AddProvider(new LogSink(writer, settings.Format, time));
        return factory;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName, Write);

    /// <summary>Writes what is left, for five seconds at most.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        // A busy machine may take more than one to come to it.
        _pump.Wait(TimeSpan.FromSeconds(5));
    }

    private async Task PumpAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost) LogLost(new Logger(this, "NicHost.Logs", WriteNow), lost);
            await _writer.WriteLineAsync(line);
            if (!_lines.Reader.TryPeek(out _)) await _writer.FlushAsync();
        }
    }

    private void Write(LogEntry entry)
    {
        if (!_lines.Writer.TryWrite(Format(entry))) Interlocked.Increment(ref _lost);
    }

    private void WriteNow(LogEntry entry) => _writer.WriteLine(Format(entry));

    private string Format(in LogEntry entry) => _format switch
    {
        LogFormat.Json => JsonLog.Line(entry),
        LogFormat.Journal => TextLog.Journal(entry),
        _ => TextLog.Text(entry),
    };

    [LoggerMessage(600, LogLevel.Warning, "{Count} log entries were lost: whoever reads them is too slow.")]
    private static partial void LogLost(ILogger log, long count);

    [LoggerMessage(601, LogLevel.Warning, "{Count} more like the next one were left out: {Burst} of a kind pass at once, then one a second.")]
    private static partial void LogLeftOut(ILogger log, long count, int burst);

    private sealed class Logger(LogSink owner, string category, Action<LogEntry> take) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        // What is wanted the factory has asked already.
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!owner._throttle.Passes(category, logLevel, eventId.Id, state, out var leftOut)) return;
            if (leftOut > 0) LogLeftOut(new Logger(owner, "NicHost.Logs", take), leftOut, LogThrottle.Burst);
            take(new LogEntry(owner._time.GetUtcNow(), logLevel, category, eventId, formatter(state, exception), state, exception));
        }
    }
}
