using Microsoft.Extensions.Logging;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary>What is logged, and how it looks.</summary>
internal sealed record LogSettings
{
    public LogFormat Format { get; init; }

    /// <summary>The level of every category that no rule names.</summary>
    public LogLevel Level { get; init; } = LogLevel.Information;

    /// <summary>Categories by the start of their name, each with a level of its own; the longest that fits counts.</summary>
    public IReadOnlyList<(string Category, LogLevel Level)> Rules { get; init; } = [];

    /// <summary>Reads <c>LEVEL</c>, <c>CATEGORY=LEVEL</c> or several of them with commas between.</summary>
    /// <exception cref="FormatException">It cannot be read; the message has the remedy.</exception>
    public LogSettings With(string levels)
    {
        var (level, rules) = (Level, Rules.ToList());
        foreach (var item in levels.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) level = ReadLevel(item);
            else if (equals == 0) throw new FormatException($"\"{item}\" names no category. Write it as NicHost.Nics=debug.");
            else rules.Add((item[..equals].TrimEnd(), ReadLevel(item[(equals + 1)..].TrimStart())));
        }
        return this with { Level = level, Rules = rules };
    }

    private static LogLevel ReadLevel(string name) => name.ToUpperInvariant() switch
    {
        "TRACE" => LogLevel.Trace,
        "DEBUG" => LogLevel.Debug,
        "INFORMATION" or "INFO" => LogLevel.Information,
        "WARNING" or "WARN" => LogLevel.Warning,
        "ERROR" => LogLevel.Error,
        "CRITICAL" => LogLevel.Critical,
        "NONE" => LogLevel.None,
        _ => throw new FormatException($"\"{name}\" is no log level. Use trace, debug, information, warning, error, critical or none."),
    };
}
