using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace NicHost.Dio.Tests.Windows;

/// <summary>
/// The calls into Windows themselves, under Wine: the plugin in a program of its own with .NET for Windows, with the kernel's reads, writes and events as
/// Wine has them, on a stand-in for vmswitch.
/// </summary>
public sealed class WineTests
{
    private const int Checks = 10;

    [WineFact]
    public async Task Endpoint_carries_frames_by_the_calls_of_Windows()
    {
        var root = Path.GetFullPath(Path.Combine(Here(), "../../.."));
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Name;
        var program = Path.Combine(root, "artifacts/bin/DioOnWindows", $"{configuration}_win-x64", "NicHost.DioOnWindows.exe");
        Assert.True(File.Exists(program), $"{program} is not there: dotnet build tests/DioOnWindows -c {configuration}");
        using var run = Process.Start(new ProcessStartInfo(Path.Combine(root, "tests/DioOnWindows/run.sh"), [program]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = run.StandardError.ReadToEndAsync();
        var output = await run.StandardOutput.ReadToEndAsync();
        await run.WaitForExitAsync();
        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{output}\n{await errors}");
        Assert.Equal(Checks, output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
        Assert.StartsWith("on Microsoft Windows", output, StringComparison.Ordinal);
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}

/// <summary>A test that needs Wine: runs where NICHOST_REAL_GUESTS=1, as ./test sets it; elsewhere it is skipped.</summary>
internal sealed class WineFactAttribute : FactAttribute
{
    public WineFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("NICHOST_REAL_GUESTS") != "1") Skip = "needs Wine: run ./test, or set NICHOST_REAL_GUESTS=1";
    }
}
