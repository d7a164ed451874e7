using System.Numerics;
using NicHost.Contracts.Loops;

namespace NicHost.Consomme.Tcp;

/// <summary>Something that the wheel wakes. It stands in at most one slot.</summary>
internal abstract class WheelEntry
{
    internal WheelEntry? Previous;
    internal WheelEntry? Next;
    internal int Slot = -1;

    /// <summary>When it is due, in the loop's milliseconds; only while it is in the wheel.</summary>
    internal long Due;

    /// <summary>Called when due; the entry is out of the wheel then.</summary>
    public abstract void OnTimer(long now);
}

/// <summary>
/// Timers of thousands of flows on one loop timer: three levels of slots (16 ms, 4 s, 17 minutes wide), each a list; setting and removing
/// are O(1), and only slots that are due are looked at. Precision is one tick of the level, never early.
/// </summary>
internal sealed class TimerWheel : IDisposable
{
    private const int TickBits = 4;
    private const int SlotBits = 8;
    private const int Slots = 1 << SlotBits;
    private const int Levels = 3;

    // Entries whose tick has come stand here until their turn: a callback may remove any of them.
    private const int Firing = Levels * Slots;

    private readonly IEventLoop _loop;
    private readonly ILoopTimer _timer;
    private readonly WheelEntry?[] _heads = new WheelEntry?[Firing + 1];
    private readonly ulong[] _used = new ulong[(Firing / 64) + 1];
    private long _tick;             // everything before this tick has fired
    private long _armedFor = long.MaxValue;

    public TimerWheel(IEventLoop loop)
    {
        _loop = loop;
        _timer = loop.CreateTimer(OnLoopTimer);
        _tick = loop.NowMilliseconds >> TickBits;
    }

    public int Count { get; private set; }

    /// <summary>Makes sure that the entry is called no later than needed: an entry that stands in an earlier slot stays there.</summary>
    public void Ensure(WheelEntry entry, long due)
    {
        if (entry.Slot >= 0)
        {
            if (entry.Due <= due) return;
            Remove(entry);
        }
        if (Count == 0) _tick = Math.Max(_tick, _loop.NowMilliseconds >> TickBits);
        entry.Due = due;
        Insert(entry);
        Arm();
    }

    public void Remove(WheelEntry entry)
    {
        if (entry.Slot < 0) return;
        if (entry.Previous is { } previous) previous.Next = entry.Next;
        else
        {
            _heads[entry.Slot] = entry.Next;
            if (entry.Next is null) _used[entry.Slot >> 6] &= ~(1UL << (entry.Slot & 63));
        }
        if (entry.Next is { } next) next.Previous = entry.Previous;
        entry.Previous = entry.Next = null;
        entry.Slot = -1;
        Count--;
    }

    public void Dispose() => _timer.Dispose();

    private void Insert(WheelEntry entry)
    {
        // Rounded up: never early. What is due already fires with the next tick.
        var tick = Math.Max(_tick, (entry.Due + (1 << TickBits) - 1) >> TickBits);
        var distance = tick - _tick;
        var level = distance < Slots ? 0 : distance < Slots * Slots ? 1 : 2;
        // Beyond the last level: as far as it reaches, to be put back when it comes by.
        if (distance >= 1L << (SlotBits * Levels)) tick = _tick + (1L << (SlotBits * Levels)) - 1;
        var slot = (level * Slots) + (int)((tick >> (SlotBits * level)) & (Slots - 1));
        entry.Slot = slot;
        entry.Next = _heads[slot];
        if (entry.Next is { } next) next.Previous = entry;
        _heads[slot] = entry;
        _used[slot >> 6] |= 1UL << (slot & 63);
        Count++;
    }

    private void OnLoopTimer()
    {
        _armedFor = long.MaxValue;
        var now = _loop.NowMilliseconds;
        var end = now >> TickBits;
        while (_tick <= end)
        {
            var next = NextTick();
            if (next > end)
            {
                // Nothing before: jump, but never over a boundary at which a higher level would have come down.
                _tick = end + 1;
                break;
            }
            _tick = next;
            for (var level = Levels - 1; level > 0; level--)
            {
                if ((_tick & ((1L << (SlotBits * level)) - 1)) == 0) Cascade(level);
            }
            MoveToFiring((int)(_tick & (Slots - 1)));
            _tick++;
            while (_heads[Firing] is { } entry)
            {
                Remove(entry);
                if (entry.Due <= now) entry.OnTimer(now);
                else Insert(entry);
            }
        }
        Arm();
    }

    private void MoveToFiring(int slot)
    {
        var head = _heads[slot];
        _heads[slot] = null;
        _used[slot >> 6] &= ~(1UL << (slot & 63));
        _heads[Firing] = head;
        for (; head is not null; head = head.Next) head.Slot = Firing;
    }

    private void Cascade(int level)
    {
        MoveToFiring((level * Slots) + (int)((_tick >> (SlotBits * level)) & (Slots - 1)));
        while (_heads[Firing] is { } entry)
        {
            Remove(entry);
            Insert(entry);
        }
    }

    private void Arm()
    {
        if (Count == 0) return;
        var next = NextTick();
        if (next >= _armedFor) return;
        _armedFor = next;
        _timer.Set(Math.Max(0, (next << TickBits) - _loop.NowMilliseconds));
    }

    /// <summary>The first tick, from <see cref="_tick"/> on, at which a slot of any level has something to do.</summary>
    private long NextTick()
    {
        var best = long.MaxValue;
        for (var level = 0; level < Levels; level++)
        {
            var shift = SlotBits * level;
            // A slot of a higher level is due when the tick reaches its first number: the one under way now has come down already,
            // unless the tick stands exactly at its start.
            var unit = (_tick + (1L << shift) - 1) >> shift;
            var offset = FirstUsed(level, (int)(unit & (Slots - 1)));
            if (offset >= 0) best = Math.Min(best, (unit + offset) << shift);
        }
        return best;
    }

    /// <summary>How many slots after <paramref name="from"/>, going round, the first used one is; −1 when there is none.</summary>
    private int FirstUsed(int level, int from)
    {
        var words = Slots / 64;
        var word = _used[(level * words) + (from >> 6)] & (ulong.MaxValue << (from & 63));
        for (var i = 0; i <= words; i++)
        {
            if (word != 0)
            {
                var slot = ((((from >> 6) + i) % words) * 64) + BitOperations.TrailingZeroCount(word);
                return (slot - from + Slots) % Slots;
            }
            word = _used[(level * words) + (((from >> 6) + i + 1) % words)];
        }
        return -1;
    }
}
