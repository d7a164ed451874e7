using System.Diagnostics;
using System.Globalization;

namespace NicHost.Benchmarks.Costs;

/// <summary>A measurement that needs a process that has done nothing else: these benchmarks again, with other arguments.</summary>
internal static class ChildProcess
{
    /// <returns>The lines that it printed, each a name and numbers.</returns>
    public static IReadOnlyList<(string Name, double[] Numbers)> Ask(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(ChildProcess).Assembly.Location, .. arguments]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with code {process.ExitCode}.");
        return [.. lines.Select(line => line.Split(' ')).Select(words => (words[0], words[1..].Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray()))];
    }

    public static void Tell(string name, params double[] numbers) =>
        Console.WriteLine(string.Join(' ', [name, .. numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))]));
}
