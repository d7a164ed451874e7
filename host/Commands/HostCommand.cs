using System.CommandLine;

namespace NicHost.Host.Commands;

/// <summary>A command whose help also shows how it is used and what it ends with.</summary>
internal sealed class HostCommand(string name, string description, CommandHelp help) : Command(name, description)
{
    public CommandHelp Help { get; } = help;
}

/// <summary>What stands below a command's options in its help.</summary>
internal sealed record CommandHelp
{
    /// <summary>An exit code that every command has which asks a running host.</summary>
    public static (int Code, string What) NoHost => (ExitCode.NoHost, "no host answers on the control socket");

    /// <summary>Command lines, each with what it does.</summary>
    public IReadOnlyList<(string Line, string What)> Examples { get; init; } = [];

    /// <summary>Exit codes beside those that all commands have.</summary>
    public IReadOnlyList<(int Code, string What)> ExitCodes { get; init; } = [];

    public void Write(TextWriter output)
    {
        Section(output, "Examples:", Examples);
        var codes = ExitCodes.Append((ExitCode.Fine, "fine")).Append((ExitCode.Usage, "the command line is wrong")).OrderBy(c => c.Item1);
        Section(output, "Exit codes:", [.. codes.Select(c => ($"{c.Item1}", c.Item2))]);
    }

    private static void Section(TextWriter output, string title, IReadOnlyList<(string Left, string Right)> rows)
    {
        if (rows.Count == 0) return;
        output.WriteLine(title);
        var width = rows.Max(row => row.Left.Length);
        foreach (var (left, right) in rows) output.WriteLine($"  {left.PadRight(width)}  {right}");
        output.WriteLine();
    }
}
