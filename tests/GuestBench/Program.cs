using NicHost.GuestBench;

// tests/bench-guests [--rounds N] [--seconds S] [--guests qemu,uml]
var options = BenchOptions.Parse(args);
var table = new ResultTable();
using (Spinners.Start())
{
    await new Runner(options, table).RunAsync();
}
Console.WriteLine(table.Render());
