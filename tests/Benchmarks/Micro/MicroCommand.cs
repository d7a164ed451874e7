using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace NicHost.Benchmarks.Micro;

/// <summary>Runs the micro benchmarks and fails when one allocates.</summary>
internal static class MicroCommand
{
    public static int Run(string[] args)
    {
        // In this process: the guest's memory, sockets and loops need no second build.
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        var summaries = BenchmarkSwitcher.FromAssembly(typeof(MicroCommand).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, config);
        var allocating = summaries
            .SelectMany(s => s.Reports)
            .Where(r => r.GcStats.GetBytesAllocatedPerOperation(r.BenchmarkCase) is null or > 0)
            .Select(r => $"{r.BenchmarkCase.DisplayInfo}: {r.GcStats.GetBytesAllocatedPerOperation(r.BenchmarkCase)} bytes per operation")
            .ToArray();
        foreach (var line in allocating) Console.WriteLine($"FAIL  {line}");
        if (allocating.Length == 0) Console.WriteLine("ok    nothing allocates");
        return allocating.Length == 0 ? 0 : 1;
    }
}
