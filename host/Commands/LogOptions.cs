using System.CommandLine;
using System.CommandLine.Parsing;
using NicHost.Host.Diagnostics.Logging;

namespace NicHost.Host.Commands;

/// <summary>The options that say what is logged and how. What the command line does not say, the environment may.</summary>
internal sealed class LogOptions
{
    private const string LevelVariable = "NICHOST_LOG_LEVEL";

    private readonly Option<string?> _levels = new("--log-level")
    {
        Description = $"What is logged to stderr: a level, and categories with levels of their own. Levels: trace, debug, information, warning, error, critical, none. Default: ${LevelVariable}, or information.",
        HelpName = "LEVEL[,CATEGORY=LEVEL...]",
    };

    private readonly Option<bool> _verbose = new("--verbose", "-v") { Description = "The same as --log-level debug." };

    private readonly Option<string?> _format = new("--log-format")
    {
        Description = "text, json (an object a line) or journal (priorities for systemd). Default: journal when stderr is the journal, else text.",
        HelpName = "FORMAT",
    };

    public LogOptions()
    {
        _levels.Validators.Add(Check);
        _format.AcceptOnlyFromAmong("text", "json", "journal");
        _levels.CompletionSources.Add("trace", "debug", "information", "warning", "error", "critical", "none");
    }

    public void AddTo(Command command)
    {
        command.Add(_levels);
        command.Add(_verbose);
        command.Add(_format);
    }

    /// <summary>The settings of a command line without faults.</summary>
    /// <exception cref="FormatException">The environment's cannot be read.</exception>
    public LogSettings Read(ParseResult result)
    {
        var settings = new LogSettings { Format = ReadFormat(result.GetValue(_format)) };
        if (result.GetValue(_levels) is { } levels) return settings.With(levels);
        if (result.GetValue(_verbose)) return settings.With("debug");
        try { return settings.With(Environment.GetEnvironmentVariable(LevelVariable) ?? ""); }
        catch (FormatException e) { throw new FormatException($"{LevelVariable}: {e.Message}", e); }
    }

    private static LogFormat ReadFormat(string? name) => name switch
    {
        "json" => LogFormat.Json,
        "journal" => LogFormat.Journal,
        null when IsJournal() => LogFormat.Journal,
        _ => LogFormat.Text,
    };

    private static void Check(OptionResult result)
    {
        try { new LogSettings().With(result.GetValueOrDefault<string?>() ?? ""); }
        catch (FormatException e) { result.AddError($"--log-level: {e.Message}"); }
    }

    // systemd names the device and the inode of the socket that it gave us as stderr; a redirection since then has another.
    private static bool IsJournal() =>
        Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is [_, var inode]
        && new FileInfo("/proc/self/fd/2").LinkTarget == $"socket:[{inode}]";
}
