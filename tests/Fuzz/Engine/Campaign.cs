using System.Diagnostics;
using System.Security.Cryptography;

namespace NicHost.Fuzz.Engine;

/// <summary>The built-in fuzzer: mutates a corpus, guided by coverage where the assemblies are instrumented. One thread.</summary>
internal sealed class Campaign(Func<FuzzTarget> make, string folder, int seed) : IDisposable
{
    private readonly Dictionary<string, string> _findings = [];
    private readonly List<byte[]> _corpus = [];
    private readonly Coverage _coverage = new();
    private readonly Random _random = new(seed);
    private FuzzTarget _target = make();

    /// <summary>Inputs run.</summary>
    public long Runs { get; private set; }

    /// <summary>Distinct failures and the files that show them.</summary>
    public IReadOnlyDictionary<string, string> Findings => _findings;

    /// <summary>Runs for a time.</summary>
    /// <returns>A line of results.</returns>
    public string Run(IEnumerable<byte[]> corpus, TimeSpan time)
    {
        Directory.CreateDirectory(folder);
        using var recorder = new FlightRecorder(Path.Combine(folder, "running.bin"), _target.MaxLength + 64, TimeSpan.FromSeconds(20));
        var queue = Directory.CreateDirectory(Path.Combine(folder, "queue")).FullName;
        foreach (var input in corpus.Concat(Directory.EnumerateFiles(queue).Select(File.ReadAllBytes)))
        {
            if (input.Length > _target.MaxLength) continue;
            // Not instrumented: nothing tells one input from another.
            if (One(input, recorder) || _coverage.Edges == 0) _corpus.Add(input);
        }
        var mutator = new Mutator(seed, _target.MaxLength, _target.Dictionary);
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            for (var i = 0; i < 64; i++)
            {
                var input = mutator.Mutate(Pick(), _corpus[_random.Next(_corpus.Count)]);
                if (!One(input, recorder)) continue;
                _corpus.Add(input);
                File.WriteAllBytes(Path.Combine(queue, Hash(input) + ".bin"), input);
            }
        }
        var elapsed = Stopwatch.GetElapsedTime(start);
        return $"{_target.Name}: {Runs} runs in {elapsed.TotalSeconds:0} s ({Runs / elapsed.TotalSeconds:0}/s), "
            + $"{_coverage.Edges} edges, {_corpus.Count} inputs, {_findings.Count} findings, seed {seed}";
    }

    public void Dispose()
    {
        _target.Dispose();
        _coverage.Dispose();
    }

    /// <summary>A short name for an input.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..12];

    // New inputs lead to newer ones: half of the picks come from the last eighth.
    private byte[] Pick() => _corpus[_random.Next(2) == 0 ? _random.Next(_corpus.Count) : _corpus.Count - 1 - _random.Next((_corpus.Count + 7) / 8)];

    private bool One(byte[] input, FlightRecorder recorder)
    {
        recorder.Begin(input);
        _coverage.Begin();
        Runs++;
        try
        {
            _target.Run(input);
        }
#pragma warning disable CA1031 // whatever comes out is a finding
        catch (Exception e)
#pragma warning restore CA1031
        {
            Report(input, e);
            return false;
        }
        finally
        {
            recorder.End();
        }
        return _coverage.EndedWithNews();
    }

    private void Report(byte[] input, Exception e)
    {
        var place = e.StackTrace?.Split('\n').FirstOrDefault(l => l.Contains("NicHost", StringComparison.Ordinal) && !l.Contains("Require", StringComparison.Ordinal));
        var key = $"{e.GetType().Name} {(e is InvariantException ? e.Message : place?.Trim())}";
        if (_findings.Count < 50 && !_findings.ContainsKey(key))
        {
            var path = Path.Combine(folder, $"fail-{Hash(input)}.bin");
            File.WriteAllBytes(path, input);
            _findings[key] = path;
            Console.Error.WriteLine($"{path}: {e}");
        }
        // What broke once may be broken: start from a fresh one.
        try { _target.Dispose(); }
#pragma warning disable CA1031
        catch (Exception second) { Console.Error.WriteLine($"… and on disposal: {second.Message}"); }
#pragma warning restore CA1031
        _target = make();
    }
}
