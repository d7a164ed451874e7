using NicHost.Benchmarks.Bulk;
using NicHost.Benchmarks.Costs;
using NicHost.Benchmarks.Dio;
using NicHost.Benchmarks.Micro;

return args switch
{
    ["bulk", .. var rest] => BulkCommand.Run(rest),
    ["dio", .. var rest] => DioCommand.Run(rest),
    ["host", .. var rest] => CostCommand.Run(rest),
    [LoadCost.Child, ..] => LoadCost.RunChild(),
    [CallCost.Child, var way] => CallCost.RunChild(way),
    ["spin"] => Spinners.SpinForEver(),
    ["micro", .. var rest] => MicroCommand.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        Benchmarks bulk [--rounds N] [--seconds S] [--only TEXT] [--no-spin] [--cpu]
            the probe guest through a host of its own, beside plain sockets on the loopback, interleaved; one table
        Benchmarks dio [--rounds N] [--seconds S] [--only TEXT] [--no-spin]
            as root: the probe guest on a bridge of the kernel, beside a veth pair on the same bridge and beside Consomme; one table
        Benchmarks host [--rounds N] [--vms N] [--idle SECONDS]
            what a host costs: loading plugins, calls into them, VMs by the thousand
        Benchmarks micro [BenchmarkDotNet arguments]
            per-frame costs; allocated bytes per frame have to be 0
        """);
    return 2;
}
