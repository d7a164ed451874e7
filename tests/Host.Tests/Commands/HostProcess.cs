using System.Diagnostics;
using System.Text;

namespace NicHost.Host.Tests.Commands;

/// <summary>The host as its users run it: a process of its own.</summary>
internal sealed class HostProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HostProcess(string[] before, string[] arguments)
    {
        // Tests that a shell runs in the background have SIGINT ignored, and what they start inherits that.
        var start = new ProcessStartInfo("env") { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("--default-signal=INT");
        foreach (var word in before) start.ArgumentList.Add(word);
        start.ArgumentList.Add("dotnet");
        start.ArgumentList.Add(Repository.File($"artifacts/bin/Host/{Repository.Configuration}/nichost.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, e) => Take(_output, e.Data);
        _process.ErrorDataReceived += (_, e) => Take(_errors, e.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public string Output { get { lock (_output) return _output.ToString(); } }

    public string Errors { get { lock (_errors) return _errors.ToString(); } }

    public static HostProcess Start(params string[] arguments) => new([], arguments);

    /// <summary>With variables, each as <c>NAME=VALUE</c>.</summary>
    public static HostProcess StartWith(string[] environment, params string[] arguments) => new(environment, arguments);

    /// <summary>By way of a program that starts the rest of its arguments.</summary>
    public static HostProcess StartUnder(string[] program, params string[] arguments) => new(program, arguments);

    /// <summary>Until it has printed that it is ready.</summary>
    public async Task ReadyAsync()
    {
        var first = await Task.WhenAny(_ready.Task, _process.WaitForExitAsync(), Task.Delay(Limit));
        Assert.True(first == _ready.Task, $"The host did not become ready.\n{Output}\n{Errors}");
    }

    /// <summary>Until it has logged a line with <paramref name="text"/>.</summary>
    public Task LoggedAsync(string text) => Eventually.True(() => Errors.Contains(text, StringComparison.Ordinal), $"the host logs \"{text}\"");

    public async Task<int> EndAsync()
    {
        using var limit = new CancellationTokenSource(Limit);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Take(StringBuilder to, string? line)
    {
        if (line is null) return;
        lock (to) to.Append(line).Append('\n');
        if (line.StartsWith("ready:", StringComparison.Ordinal)) _ready.TrySetResult();
    }
}
