using NicHost.Fuzz.Targets;
using SharpFuzz;

namespace NicHost.Fuzz.Engine;

/// <summary>What the command line can do.</summary>
internal sealed class Commands(string name, string output)
{
    // What guests' bytes reach. The endpoints' host side and the tests stay as they are.
    private static readonly string[] s_instrumented =
    [
        "NicHost.Wire.dll", "NicHost.Contracts.dll", "NicHost.Consomme.dll", "NicHost.Virtio.dll", "NicHost.NetVsp.dll", "nichost.dll",
    ];

    private IEnumerable<string> Names => name == "all" ? Catalog.Names : [name];

    public static int Instrument(string folder)
    {
        foreach (var file in s_instrumented)
        {
            var path = Path.Combine(folder, file);
            if (!File.Exists(path)) continue;
            var count = Fuzzer.Instrument(path, _ => true, Options.Value).Count();
            Console.WriteLine($"{file}: {count} types");
        }
        return 0;
    }

    public int Run(TimeSpan time, int seed)
    {
        var findings = 0;
        foreach (var one in Names)
        {
            if (Catalog.NeedsIsolation(one)) Isolation.Enter();
            using var campaign = new Campaign(() => Catalog.Make(one), Path.Combine(output, one), seed);
            Console.WriteLine(campaign.Run(Catalog.Corpus(one), time));
            foreach (var (what, path) in campaign.Findings) Console.WriteLine($"  {what}: {path}");
            findings += campaign.Findings.Count;
        }
        return findings == 0 ? 0 : 1;
    }

    public int Replay(string path, int times)
    {
        if (Catalog.NeedsIsolation(name)) Isolation.Enter();
        using var target = Catalog.Make(name);
        foreach (var file in Directory.Exists(path) ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories) : [path])
        {
            var input = File.ReadAllBytes(file);
            for (var i = 0; i < times; i++) target.Run(input);
            Console.WriteLine($"{file}: stands");
        }
        return 0;
    }

    public int Afl()
    {
        if (Catalog.NeedsIsolation(name)) Isolation.Enter();
        using var target = Catalog.Make(name);
        Fuzzer.OutOfProcess.Run(stream =>
        {
            var input = new byte[target.MaxLength];
            target.Run(input.AsSpan(0, stream.ReadAtLeast(input, input.Length, throwOnEndOfStream: false)));
        });
        return 0;
    }

    public int WriteSeeds(string folder)
    {
        foreach (var one in Names)
        {
            using var target = Catalog.Make(one);
            var into = Directory.CreateDirectory(Path.Combine(folder, one)).FullName;
            foreach (var (seed, bytes) in target.Seeds()) File.WriteAllBytes(Path.Combine(into, seed + ".bin"), bytes);
        }
        return 0;
    }
}
