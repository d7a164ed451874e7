using System.Diagnostics;
using System.Runtime.ExceptionServices;
using NicHost.Linux;

namespace NicHost.Benchmarks.Dio;

/// <summary>A network namespace. Sockets that are made inside stay inside.</summary>
internal sealed class BenchNamespace : IDisposable
{
    public BenchNamespace(string name)
    {
        Name = name;
        Ip($"netns add {name}");
        Ip($"-n {name} link set lo up");
    }

    public string Name { get; }

    /// <summary>Runs ip with the words of <paramref name="arguments"/>, of every namespace.</summary>
    public static void Ip(string arguments)
    {
        using var ip = Process.Start(new ProcessStartInfo("ip", arguments.Split(' ')) { RedirectStandardError = true })!;
        var errors = ip.StandardError.ReadToEnd();
        ip.WaitForExit();
        if (ip.ExitCode != 0) throw new InvalidOperationException($"ip {arguments}: {errors}");
    }

    /// <summary>Runs work on a thread of its own inside: a pool thread must never be left there.</summary>
    public T Inside<T>(Func<T> work)
    {
        T? result = default;
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle($"/run/netns/{Name}");
                ThisProcess.SetNamespace((int)file.DangerousGetHandle(), ThisProcess.CloneNewNet).OrThrow($"enter {Name}");
                result = work();
            }
#pragma warning disable CA1031 // thrown again below
            catch (Exception e) { failure = ExceptionDispatchInfo.Capture(e); }
#pragma warning restore CA1031
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result!;
    }

    public void Dispose() => Ip($"netns del {Name}");
}
