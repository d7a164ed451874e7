using System.CommandLine;
using NicHost.Fuzz.Engine;
using NicHost.Fuzz.Targets;

// Fuzz TARGET --seconds N   mutates the corpus by itself, guided by coverage where the assemblies are instrumented
// Fuzz TARGET --replay PATH runs one file or a folder and says what comes out
// Fuzz TARGET               is a child of afl-fuzz
var target = new Argument<string>("target") { Description = $"One of: {string.Join(", ", Catalog.Names)}; or all." };
var seconds = new Option<int>("--seconds") { Description = "Fuzz without AFL for this long, per target." };
var seed = new Option<int?>("--seed") { Description = "Seed of the mutations; random, and printed, when left out." };
var replay = new Option<string?>("--replay") { Description = "Run one input, or every file of a folder." };
var times = new Option<int>("--times") { Description = "How often to run each input of a replay: leaks show.", DefaultValueFactory = _ => 1 };
var output = new Option<string>("--output") { Description = "Where findings and the grown corpus go.", DefaultValueFactory = _ => Path.Combine("artifacts", "fuzz") };
var writeSeeds = new Option<string?>("--write-seeds") { Description = "Write the valid inputs that the targets make to this folder." };
var instrument = new Option<string?>("--instrument") { Description = "Instrument our assemblies in this folder (a copy of the output) for AFL and for coverage." };
var root = new RootCommand("Fuzzes the parsers and state machines that guests reach.") { target, seconds, seed, replay, times, output, writeSeeds, instrument };
root.SetAction(parsed =>
{
    var commands = new Commands(parsed.GetValue(target)!, parsed.GetValue(output)!);
    if (parsed.GetValue(instrument) is { } folder) return Commands.Instrument(folder);
    if (parsed.GetValue(writeSeeds) is { } seeds) return commands.WriteSeeds(seeds);
    if (parsed.GetValue(replay) is { } path) return commands.Replay(path, parsed.GetValue(times));
    return parsed.GetValue(seconds) > 0
        ? commands.Run(TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(seed) ?? Random.Shared.Next())
        : commands.Afl();
});
return root.Parse(args).Invoke();
