using System.Diagnostics;
using System.Reflection;

namespace NicHost.Linux.Tests;

/// <summary>Runs parts of this assembly in processes of their own: those that are meant to die.</summary>
internal static class ChildProcess
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private static int Main(string[] arguments)
    {
        if (arguments is not [string name]) return 64;
        MethodInfo? method = typeof(ChildProcess).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
            .SingleOrDefault(candidate => candidate.Name == name && candidate.GetCustomAttribute<RunsInChildAttribute>() is not null);
        return method is null ? 64 : (int)method.Invoke(null, null)!;
    }

    /// <summary>The exit code of a method marked with <see cref="RunsInChildAttribute"/>; 128 + signal when a signal ended it.</summary>
    internal static async Task<(int ExitCode, string Output)> RunAsync(string method)
    {
        ProcessStartInfo start = new(Environment.ProcessPath!)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        start.ArgumentList.Add(method);
        using Process process = Process.Start(start)!;
        using CancellationTokenSource limit = new(s_limit);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
            Task<string> error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw new TimeoutException($"{method} did not end within {s_limit}");
        }
    }
}

/// <summary>Marks a static method without parameters that returns an exit code.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RunsInChildAttribute : Attribute;
