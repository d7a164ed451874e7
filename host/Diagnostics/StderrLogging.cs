using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics;

/// <summary>
/// Logs to a writer, one line per entry, from a thread of its own: a full pipe must not stop a loop. What finds no room is counted and
/// the count is told.
/// </summary>
internal sealed class StderrLogging : ILoggerFactory
{
    private const int Room = 4096;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Room) { SingleReader = true });
    private readonly TextWriter _writer;
    private readonly TimeProvider _time;
    private readonly Task _pump;
    private long _lost;

    public StderrLogging(TextWriter writer, LogLevel level, TimeProvider time)
    {
        (_writer, _time, Level) = (writer, time, level);
        _pump = Task.Run(PumpAsync);
    }

    public LogLevel Level { get; }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("Logs go to stderr only.");

    /// <summary>Writes what is left, for a second at most.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _pump.Wait(TimeSpan.FromSeconds(1));
    }

    private async Task PumpAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
                await _writer.WriteLineAsync($"({lost} log lines were lost: the reader of stderr is too slow)");
            await _writer.WriteLineAsync(line);
        }
        await _writer.FlushAsync();
    }

    private void Write(LogLevel level, string category, EventId id, string message, Exception? exception)
    {
        var line = new StringBuilder()
            .Append(_time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture))
            .Append(' ').Append(Short(level)).Append(' ').Append(category)
            .Append(CultureInfo.InvariantCulture, $"[{id.Id}] ").Append(message);
        if (exception is not null) line.AppendLine().Append(exception);
        if (!_lines.Writer.TryWrite(line.ToString())) Interlocked.Increment(ref _lost);
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        _ => "error",
    };

    private sealed class Logger(StderrLogging owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= owner.Level && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) owner.Write(logLevel, category, eventId, formatter(state, exception), exception);
        }
    }
}
