using NicHost.Fuzz.Engine;
using NicHost.Fuzz.Targets;

namespace NicHost.Hostile.Tests.Corpus;

/// <summary>The fuzzers' corpus as ordinary tests: every committed input, what was found once included, and some changed ones.</summary>
public sealed class CorpusTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(40);

    public static TheoryData<string> Targets => [.. Catalog.Names];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_input_of_the_corpus_stands(string name) => RunApart(name, target =>
    {
        var inputs = Catalog.Corpus(name).ToArray();
        Assert.NotEmpty(inputs);
        foreach (var input in inputs) target.Run(input);
    });

    [Theory]
    [MemberData(nameof(Targets))]
    public void Changed_inputs_stand(string name) => RunApart(name, target =>
    {
        // The same every time: whoever breaks it sees it again. The campaigns take other seeds.
        const int seed = 4711;
        var inputs = Catalog.Corpus(name).ToArray();
        var mutator = new Mutator(seed, target.MaxLength, target.Dictionary);
        var deadline = Environment.TickCount64 + 1000;
        for (var i = 0; i < 2000 && Environment.TickCount64 < deadline; i++)
        {
            var input = mutator.Mutate(inputs[i % inputs.Length], inputs[i * 7 % inputs.Length]);
            try { target.Run(input); }
            catch (Exception e)
            {
                throw new InvariantException($"Input {i} of seed {seed} for {name}, {Convert.ToBase64String(input)}: {e}");
            }
        }
    });

    // On a thread of its own: a network namespace belongs to a thread, and a hang must not take the others along.
    private static void RunApart(string name, Action<FuzzTarget> body)
    {
        Exception? fault = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Catalog.NeedsIsolation(name)) Isolation.Enter();
                using var target = Catalog.Make(name);
                body(target);
            }
            catch (Exception e)
            {
                fault = e;
            }
        }) { IsBackground = true };
        thread.Start();
        Assert.True(thread.Join(s_patience), $"{name} hangs");
        Assert.True(fault is null, fault?.ToString());
    }
}
