using System.ComponentModel;
using System.Diagnostics;

namespace NicHost.Testing.Snapshots;

/// <summary>Runs <c>nichost resolve</c>: the host's own code, with the plugins that it has.</summary>
internal static class HostCommand
{
    /// <returns>What it prints.</returns>
    /// <exception cref="SnapshotException">The topology has faults, or there is no host.</exception>
    public static async Task<string> ResolveAsync(IReadOnlyList<string> topology, SnapshotOptions options, string folder)
    {
        var program = HostProgram.Find(options.Host, folder);
        var start = new ProcessStartInfo(program[0]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[.. program[1..], "resolve", .. options.PluginRoots.SelectMany(root => (string[])["--plugins", root]), .. topology]) start.ArgumentList.Add(argument);
        // A published host looks for the runtime; the one of these tests will do where nobody says.
        start.Environment.TryAdd("DOTNET_ROOT", Path.GetFullPath("../../..", Path.GetDirectoryName(typeof(object).Assembly.Location)!));
        foreach (var (name, value) in options.Environment)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }
        using var process = Start(start);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(options.Timeout);
        try { await process.WaitForExitAsync(limit.Token); }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new SnapshotException($"{string.Join(' ', program)} did not end within {options.Timeout.TotalSeconds:0} s.");
        }
        if (process.ExitCode == 0) return await output;
        var reason = $"{await errors}{await output}".Trim();
        throw new SnapshotException(process.ExitCode == 1
            ? $"{string.Join(", ", topology)} has faults:\n\n{reason}"
            : $"{string.Join(' ', program)} resolve ended with {process.ExitCode}:\n\n{reason}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try { return Process.Start(start)!; }
        catch (Win32Exception e) { throw new SnapshotException($"{start.FileName} cannot be started ({e.Message}). {HostProgram.Remedy}"); }
    }
}
