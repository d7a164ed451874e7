using BenchmarkDotNet.Attributes;
using NicHost.Wire;

namespace NicHost.Benchmarks.Micro;

/// <summary>The Internet checksum over what frames have: a header, a segment, a super-frame.</summary>
[MemoryDiagnoser]
public class ChecksumBenchmarks
{
    private byte[] _data = [];

    [Params(20, 64, 1460, 65535)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup() => new Random(Bytes).NextBytes(_data = new byte[Bytes]);

    [Benchmark]
    public uint Add() => InternetChecksum.Add(0, _data);
}
