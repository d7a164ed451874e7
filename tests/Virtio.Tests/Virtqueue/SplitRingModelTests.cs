using CsCheck;
using NicHost.Contracts.Memory;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Tests.Virtqueue;

/// <summary>Random traffic on a ring against what a list says must happen.</summary>
public sealed unsafe class SplitRingModelTests
{
    private enum Step
    {
        Add,
        AddIndirect,
        Pop,
        Complete,
        Rewind,
        Publish,
        Notify,
        Kick,
    }

    [Fact]
    public void Chains_come_out_as_they_went_in_and_used_ones_come_back_once()
    {
        var step = Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 1000], Gen.Int[1, 5]);
        var run = Gen.Select(step.Array[1, 300], Gen.Int[0, 5], Gen.UShort, Gen.Bool);
        run.Sample(r => Run(r.Item1, 1 << r.Item2, r.Item3, r.Item4), iter: 2000);
    }

    private static void Run((Step Step, int Value, int Pieces)[] steps, int size, ushort start, bool eventIndex)
    {
        using var file = new GuestFile(1 << 20);
        var driver = new DriverRing(file, GuestFile.GuestBase, size, eventIndex);
        driver.StartAt(start);
        var addresses = new SplitRingAddresses(
            size, GuestFile.ToUser(driver.Descriptors), GuestFile.ToUser(driver.Available), GuestFile.ToUser(driver.Used));
        var features = RingFeatures.Indirect | (eventIndex ? RingFeatures.EventIndex : 0);
        var ring = SplitRing.TryCreate(file.Map(), addresses, features, start, out _)!;

        var available = new List<(ushort Head, List<(ulong, int, bool)> Pieces)>();
        var popped = new List<ushort>();
        var completed = 0;
        var published = 0;
        int seen = start;
        var host = (byte*)file.Map().Regions[0].HostAddress;
        var segments = new Segment[8];
        foreach (var (what, value, pieces) in steps)
        {
            switch (what)
            {
                case Step.Add or Step.AddIndirect:
                    var count = what == Step.Add ? Math.Min(pieces, size) : pieces;
                    if (driver.FreeDescriptors < (what == Step.Add ? count : 1)) break;
                    var chain = Enumerable.Range(0, count)
                        .Select(i => (GuestFile.GuestBase + 0x40000 + (ulong)((value * 64) + i), value + i + 1, i >= value % (count + 1))).ToArray();
                    var head = what == Step.Add ? driver.Add(chain) : driver.AddIndirect(GuestFile.GuestBase + 0x20000 + ((ulong)driver.AvailIndex % 512 * 128), chain);
                    available.Add((head, [.. chain]));
                    break;
                case Step.Pop:
                    Assert.Equal(available.Count > 0, ring.TryPop(out var got));
                    if (available.Count == 0) break;
                    Assert.Equal(available[0].Head, got);
                    var walked = ring.Walk(got, segments, out var readable);
                    Assert.Equal(available[0].Pieces.Count, walked);
                    Assert.Equal(available[0].Pieces.Count(p => !p.Item3), readable);
                    for (var i = 0; i < walked; i++)
                    {
                        Assert.Equal(available[0].Pieces[i].Item1 - GuestFile.GuestBase, (ulong)(segments[i].Base - host));
                        Assert.Equal((nuint)available[0].Pieces[i].Item2, segments[i].Length);
                    }
                    popped.Add(got);
                    available.RemoveAt(0);
                    break;
                case Step.Complete when popped.Count > 0:
                    // Any of them: used order is free.
                    var index = value % popped.Count;
                    ring.Complete(popped[index], (uint)value);
                    popped.RemoveAt(index);
                    completed++;
                    break;
                case Step.Publish:
                    ring.Publish();
                    Assert.Equal((ushort)(start + completed), driver.UsedIndex);
                    published = completed;
                    // Fails when one comes back that is not out, or comes back twice.
                    driver.TakeAll();
                    break;
                case Step.Notify:
                    ring.Publish();
                    published = completed;
                    var passed = Enumerable.Range(seen, start + published - seen).Any(i => (ushort)i == driver.UsedEvent);
                    var first = eventIndex && seen == start;
                    Assert.Equal(start + published > seen && (!eventIndex || passed || first), ring.ShouldNotify());
                    seen = start + published;
                    break;
                case Step.Kick:
                    Assert.Equal(available.Count > 0, ring.EnableKicks());
                    if (eventIndex) Assert.Equal(ring.NextAvailable, driver.AvailEvent);
                    else Assert.Equal(0, driver.UsedFlags);
                    break;
                default:
                    break;
            }
            Assert.Equal(popped.Count, ring.InFlight);
            Assert.Null(ring.Fault);
        }
        Assert.Equal((ushort)(start + completed), ring.NextUsed);
    }
}
