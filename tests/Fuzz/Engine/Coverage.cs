using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace NicHost.Fuzz.Engine;

/// <summary>
/// What SharpFuzz's instrumentation writes down, read without AFL: the map of taken branches. In assemblies that were not instrumented it stays
/// empty, and the campaign mutates without a guide.
/// </summary>
internal sealed unsafe class Coverage : IDisposable
{
    private const int MapSize = 1 << 16;

    private readonly byte* _map;
    private readonly byte[] _seen = new byte[MapSize];

    public Coverage()
    {
        _map = (byte*)NativeMemory.AllocZeroed(MapSize);
        Trace.SharedMem = _map;
    }

    /// <summary>Places of the map that any input reached.</summary>
    public int Edges { get; private set; }

    public void Begin()
    {
        // SAFETY: the map has MapSize bytes.
        new Span<byte>(_map, MapSize).Clear();
        Trace.PrevLocation = 0;
    }

    /// <summary>Whether the run took a branch, or took one more often by an order, that none before it did.</summary>
    public bool EndedWithNews()
    {
        var news = false;
        // SAFETY: MapSize is a multiple of 8.
        var words = new ReadOnlySpan<ulong>(_map, MapSize / 8);
        for (var w = 0; w < words.Length; w++)
        {
            if (words[w] == 0) continue;
            for (var i = w * 8; i < (w + 1) * 8; i++)
            {
                if (_map[i] == 0) continue;
                var bucket = (byte)(1 << Math.Min(7, (int)uint.Log2(_map[i])));
                if ((_seen[i] & bucket) != 0) continue;
                if (_seen[i] == 0) Edges++;
                _seen[i] |= bucket;
                news = true;
            }
        }
        return news;
    }

    public void Dispose() => NativeMemory.Free(_map);
}
