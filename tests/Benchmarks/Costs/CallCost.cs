using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Host.Plugins;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Benchmarks.Costs;

/// <summary>
/// What it costs to hand a batch to an endpoint that does nothing with it: by a plain call, through the interface, and through it into a plugin.
/// One way for each process: the runtime specializes the calling code for what it has seen there.
/// </summary>
internal static class CallCost
{
    public const string Child = "host-call";

    private const int Calls = 20_000_000;

    private static readonly (string Way, string What)[] Ways =
    [
        ("direct", "a plain call"), ("interface", "through the interface"), ("plugin", "into a plugin"), ("unloadable", "into an unloadable plugin"),
    ];

    public static void Print(int rounds)
    {
        Console.WriteLine($"\n{"handing over a batch",-30} {"ns",8}");
        foreach (var (way, what) in Ways)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-30} {CostCommand.Median(Enumerable.Range(0, rounds).Select(_ => ChildProcess.Ask(Child, way)[0].Numbers[0])),8:0.00}"));
    }

    public static int RunChild(string way)
    {
        var direct = new Plain();
        var queue = way is "direct" or "interface" ? direct : Plugin(isUnloadable: way == "unloadable");
        var best = double.MaxValue;
        // The first rounds run code that is not in its final form yet; it is made ready beside them.
        for (var round = 0; round < 10; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var taken = way == "direct" ? CallDirect(direct) : CallInterface(queue);
            if (taken != Calls) throw new InvalidOperationException($"{taken} frames were taken, not {Calls}.");
            best = Math.Min(best, Stopwatch.GetElapsedTime(started).TotalNanoseconds / Calls);
        }
        ChildProcess.Tell(way, best);
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallDirect(Plain queue)
    {
        TxFrame frame = default;
        var batch = new TxBatch(new ReadOnlySpan<TxFrame>(in frame), []);
        var taken = 0L;
        for (var i = 0; i < Calls; i++) taken += queue.Transmit(batch);
        return taken;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallInterface(IEndpointQueue queue)
    {
        TxFrame frame = default;
        var batch = new TxBatch(new ReadOnlySpan<TxFrame>(in frame), []);
        var taken = 0L;
        for (var i = 0; i < Calls; i++) taken += queue.Transmit(batch);
        return taken;
    }

    private static IEndpointQueue Plugin(bool isUnloadable)
    {
        var kind = PluginCatalog.Load(new PluginSettings([Built.TestPlugins]) { Unloadable = isUnloadable }).Endpoint("vm", "gate")
            ?? throw new InvalidOperationException($"There is no gate plugin in {Built.TestPlugins}.");
        using var loop = new EventLoop();
        return kind.Factory.Create(TestNic.EndpointContext(loop, """{ "kind": "gate" }""")).OpenQueue(null!);
    }

    private sealed class Plain : IEndpointQueue
    {
        public int Transmit(in TxBatch batch) => batch.Frames.Length;

        public void ReceiveReady() { }

        public void Close() { }
    }
}
