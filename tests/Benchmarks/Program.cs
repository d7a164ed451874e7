using NicHost.Benchmarks.Bulk;
using NicHost.Benchmarks.Micro;

return args switch
{
    ["bulk", .. var rest] => BulkCommand.Run(rest),
    ["spin"] => Spinners.SpinForEver(),
    ["micro", .. var rest] => MicroCommand.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        Benchmarks bulk [--rounds N] [--seconds S] [--only TEXT] [--no-spin] [--cpu]
            the probe guest through a host of its own, beside plain sockets on the loopback, interleaved; one table
        Benchmarks micro [BenchmarkDotNet arguments]
            per-frame costs; allocated bytes per frame have to be 0
        """);
    return 2;
}
