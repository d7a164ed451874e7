using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary><c>2026-01-01T00:00:00.000Z info  NicHost.Nics[200] message</c>, and for the journal the same without time and level but with its priority.</summary>
internal static class TextLog
{
    public static string Text(in LogEntry entry) => Lines(entry, $"{entry.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture)} {Short(entry.Level)} ", "");

    public static string Journal(in LogEntry entry) => Lines(entry, $"<{Priority(entry.Level)}>", $"<{Priority(entry.Level)}>");

    private static string Lines(in LogEntry entry, string start, string next)
    {
        var text = new StringBuilder(start)
            .Append(LogEntry.Plain(entry.Category))
            .Append(CultureInfo.InvariantCulture, $"[{entry.Event.Id}] ")
            .Append(LogEntry.Plain(entry.Message));
        if (entry.Exception is null) return text.ToString();
        // Indented: no line of an exception's text looks like an entry.
        foreach (var line in entry.Exception.ToString().Split('\n')) text.Append('\n').Append(next).Append("    ").Append(LogEntry.Plain(line.TrimEnd('\r')));
        return text.ToString();
    }

    private static string Short(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "crit ",
    };

    // syslog(3): 2 critical, 3 error, 4 warning, 6 informational, 7 debug.
    private static int Priority(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => 7,
        LogLevel.Information => 6,
        LogLevel.Warning => 4,
        LogLevel.Error => 3,
        _ => 2,
    };
}
