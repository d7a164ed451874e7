using System.Diagnostics;
using Xunit.Abstractions;

namespace NicHost.Packages.Tests.Rig;

/// <summary>From <c>dotnet new</c> to a running NIC, as the readme of the made project says it, line by line.</summary>
internal sealed class ReadmeTour(Author author, string name, ITestOutputHelper log) : IAsyncDisposable
{
    private readonly Dictionary<string, string> _outputs = [];
    private Command? _host;

    public string Project => Path.Combine(author.Work, name);

    /// <summary>What a line of the readme printed, found by a part of it.</summary>
    public string Output(string part) => _outputs.Single(pair => pair.Key.Contains(part, StringComparison.Ordinal)).Value;

    /// <summary>The arguments that the running host prints for QEMU.</summary>
    public string QemuHint => _host!.Output.Split('\n').Select(line => line.Trim()).Single(line => line.StartsWith("QEMU ", StringComparison.Ordinal))["QEMU ".Length..];

    /// <summary>Makes the project and does every line of its readme; the host goes on running.</summary>
    public async Task WalkAsync(string template)
    {
        var start = Stopwatch.GetTimestamp();
        await author.NewAsync(template, name);
        foreach (var line in ReadmeCommands.Of(Path.Combine(Project, "README.md")))
        {
            if (line.StartsWith("$NICHOST/nichost run ", StringComparison.Ordinal)) await RunHostAsync(line);
            else _outputs.Add(line, await author.RunAsync(line, Project));
            log.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalSeconds,6:0.0} s  {line}");
        }
    }

    public async Task<int> StopAsync() => await _host!.StopAsync();

    public async ValueTask DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
    }

    private async Task RunHostAsync(string line)
    {
        _host = author.Start(line, Project);
        await _host.UntilAsync("ready: 1 of 1");
    }
}
