using System.Diagnostics;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>Runs host commands with a time limit; a failure carries everything that the command printed.</summary>
internal static class Shell
{
    public static string Run(string file, params IEnumerable<string> arguments) => Run(TimeSpan.FromSeconds(60), file, arguments);

    public static string Run(TimeSpan limit, string file, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var line = $"{file} {string.Join(' ', start.ArgumentList)}";
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{line}: not done after {limit.TotalSeconds} s");
        }

        var text = output.GetAwaiter().GetResult();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{line}: exit code {process.ExitCode}\n{text}{errors.GetAwaiter().GetResult()}");
        return text;
    }
}
