using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary>What a format makes lines of.</summary>
internal readonly record struct LogEntry(DateTimeOffset Time, LogLevel Level, string Category, EventId Event, string Message, object? State, Exception? Exception)
{
    /// <summary>A message may carry what a guest or a peer wrote: control characters would forge lines or colour terminals.</summary>
    public static string Plain(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}
