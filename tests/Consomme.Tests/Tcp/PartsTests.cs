using CsCheck;
using NicHost.Consomme.Tcp;
using NicHost.Loops;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>The parts that stand alone, against naive models.</summary>
public sealed class PartsTests
{
    [Fact]
    public void SipHash_gives_the_published_vector()
    {
        // The paper's example: key 00..0f, message 00..0e, as whole words here: 00..07 gives this value.
        var hash = new SipHash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
        Assert.Equal(0x93f5f5799a932462ul, hash.Compute(0x0706050403020100));
    }

    [Fact]
    public void SackBoard_holds_what_a_set_of_numbers_holds() =>
        Gen.Select(Gen.UInt, Gen.Int[0, 60].Select(Gen.Int[1, 20]).Array[1, 12]).Sample((start, blocks) =>
        {
            var board = default(SackBoard);
            var model = new HashSet<uint>();
            foreach (var (at, length) in blocks)
            {
                var range = new SackRange(start + 1 + (uint)at, start + 1 + (uint)(at + length));
                board.Add(range, start, start + 100);
                for (var seq = range.Start; seq != range.End; seq++) model.Add(seq);
            }
            Assert.Equal(model.Count, (int)board.Total());
            var previous = start;
            foreach (var range in board.All)
            {
                Assert.True(Seq.Before(previous, range.Start) && Seq.Before(range.Start, range.End));
                previous = range.End;
            }
            for (uint seq = start; seq != start + 90; seq++)
            {
                var hole = board.NextHole(seq, start + 100, out var end);
                var expected = seq;
                while (model.Contains(expected)) expected++;
                Assert.Equal(expected, hole);
                while (expected != start + 100 && !model.Contains(expected)) expected++;
                Assert.Equal(expected, end);
            }
        });

    [Fact]
    public void TimerWheel_calls_each_entry_once_and_never_early() =>
        Gen.Select(Gen.Long[0, 2_000_000].Array[1, 40], Gen.Int).Sample((delays, seed) =>
        {
            var random = new Random(seed);
            var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
            using var loop = new EventLoop("wheel", time);
            loop.RunOnce();
            using var wheel = new TimerWheel(loop);
            var entries = delays.Select(d => new Entry(loop.NowMilliseconds + d)).ToArray();
            foreach (var entry in entries) wheel.Ensure(entry, entry.At);
            foreach (var entry in entries.Where(_ => random.Next(5) == 0))
            {
                wheel.Remove(entry);
                entry.IsRemoved = true;
            }
            for (var turns = 0; wheel.Count > 0; turns++)
            {
                Assert.True(turns < 5000, "The wheel does not come to an end.");
                time.Advance(TimeSpan.FromMilliseconds(random.Next(1, 20_000)));
                var before = loop.NowMilliseconds;
                loop.RunUntilIdle();
                Assert.All(entries, e => Assert.True(e.IsRemoved || e.FiredAt >= e.At || (e.FiredAt == 0 && e.At > before - 20)));
            }
            Assert.All(entries, e => Assert.Equal(e.IsRemoved ? 0 : 1, e.Calls));
        }, iter: 300);

    private sealed class Entry(long at) : WheelEntry
    {
        public long At { get; } = at;
        public int Calls { get; private set; }
        public long FiredAt { get; private set; }
        public bool IsRemoved { get; set; }

        public override void OnTimer(long now)
        {
            Calls++;
            FiredAt = now;
        }
    }
}
