using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace NicHost.Host.Tests.Doubles;

/// <summary>Keeps what is logged, of every level, as <c>category[id] message</c>.</summary>
internal sealed class LogList : ILoggerFactory
{
    public ConcurrentQueue<string> Entries { get; } = new();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() { }

    private sealed class Logger(LogList owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner.Entries.Enqueue($"{category}[{eventId.Id}] {formatter(state, exception)}");
    }
}
