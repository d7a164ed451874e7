using BenchmarkDotNet.Attributes;
using NicHost.Contracts.Memory;
using NicHost.Probe.Driver;
using NicHost.Virtio.Virtqueue;
using GuestRam = NicHost.Probe.Frontend.GuestRam;

namespace NicHost.Benchmarks.Micro;

/// <summary>A chain through the device's side of a split ring: taken, walked, completed, published. Per chain, in bursts of 64.</summary>
[MemoryDiagnoser]
public unsafe class RingBenchmarks : IDisposable
{
    private const int Burst = 64;
    private const int Size = 256;

    private readonly Segment[] _segments = new Segment[16];
    private GuestRam _ram = null!;
    private RawRing _driver = null!;
    private SplitRing _device = null!;
    private ushort _avail;

    [Params(false, true)]
    public bool Indirect { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _ram = new GuestRam(4 << 20);
        _driver = new RawRing(_ram, Size);
        var buffer = _ram.Allocate(4096);
        var table = (RingDescriptor*)_ram.Allocate(2 * sizeof(RingDescriptor));
        table[0] = new RingDescriptor { Address = _ram.ToGuest(buffer), Length = 66, Flags = RingDescriptor.Next, NextIndex = 1 };
        table[1] = new RingDescriptor { Address = _ram.ToGuest(buffer + 66), Length = 1460 };
        for (var i = 0; i < Size; i += 2)
        {
            if (Indirect) _driver.Describe(i, table, 2 * sizeof(RingDescriptor), RingDescriptor.Indirect);
            else _driver.Describe(i, buffer, 66, RingDescriptor.Next, (ushort)(i + 1));
            if (!Indirect) _driver.Describe(i + 1, buffer + 66, 1460, 0);
        }
        for (var i = 0; i < Size; i++) _driver.AvailEntry(i) = (ushort)(2 * i % Size);
        var region = _ram.Regions[0];
        var memory = new GuestMemory([new GuestRegion(region.GuestAddress, region.Length, (nint)_ram.Base, (ulong)_ram.Base)]);
        var places = new SplitRingAddresses(Size, (ulong)_driver.Descriptors, (ulong)_driver.Avail, (ulong)_driver.Used);
        _device = SplitRing.TryCreate(memory, places, RingFeatures.EventIndex | RingFeatures.Indirect, 0, out var fault) ?? throw new InvalidOperationException(fault);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _ram.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = Burst)]
    public int Chains()
    {
        _driver.PublishAvail(_avail += Burst);
        var pieces = 0;
        while (_device.TryPop(out var head))
        {
            pieces += _device.Walk(head, _segments, out _);
            _device.Complete(head, 0);
        }
        _device.Publish();
        _device.ShouldNotify();
        return pieces;
    }
}
