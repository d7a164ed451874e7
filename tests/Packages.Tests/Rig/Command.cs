using System.Diagnostics;
using System.Text;

namespace NicHost.Packages.Tests.Rig;

/// <summary>A process with its output, which ends with the test.</summary>
internal sealed class Command : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(240);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly string _line;

    private Command(string line, string folder, IReadOnlyDictionary<string, string> environment)
    {
        _line = line;
        // exec: a signal reaches the program, not the shell.
        var start = new ProcessStartInfo("/bin/bash", ["-c", $"exec {line}"]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var name in start.Environment.Keys.Where(IsOfTheRunningBuild).ToArray()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Take(e.Data);
        _process.ErrorDataReceived += (_, e) => Take(e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Output { get { lock (_output) return _output.ToString(); } }

    public static Command Start(string line, string folder, IReadOnlyDictionary<string, string> environment) => new(line, folder, environment);

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        try { await _process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException) { Assert.Fail($"{_line} does not end.\n{Output}"); }
        return _process.ExitCode;
    }

    /// <summary>Waits until a line of the output starts with <paramref name="text"/>.</summary>
    public Task UntilAsync(string text) => UntilAsync(text, HasLine);

    /// <summary>Waits until <paramref name="text"/> stands anywhere in the output.</summary>
    public Task UntilPrintedAsync(string text) => UntilAsync(text, wanted => Output.Contains(wanted, StringComparison.Ordinal));

    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task UntilAsync(string text, Func<string, bool> isThere)
    {
        for (var start = Stopwatch.GetTimestamp(); !isThere(text); await Task.Delay(20))
            Assert.True(!_process.HasExited && Stopwatch.GetElapsedTime(start) < Limit, $"{_line} did not print \"{text}\".\n{Output}");
    }

    private bool HasLine(string start) => Output.StartsWith(start, StringComparison.Ordinal) || Output.Contains($"\n{start}", StringComparison.Ordinal);

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_output) _output.Append(line).Append('\n');
    }

    // What "dotnet test" tells its children is about its own build.
    private static bool IsOfTheRunningBuild(string name) =>
        name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase) || name.StartsWith("VSTEST", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("COREHOST", StringComparison.OrdinalIgnoreCase) || name is "CI" or "DOTNET_HOST_PATH" or "DOTNET_STARTUP_HOOKS";
}
