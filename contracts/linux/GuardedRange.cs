namespace NicHost.Linux;

/// <summary>A range of memory whose loss is survived; made by <see cref="SigbusGuard.Register"/>.</summary>
public sealed unsafe class GuardedRange : IDisposable
{
    private static readonly GuardEntry* Nothing = SigbusGuard.AllocateEntries(1);

    private GuardEntry* _entry;
    private bool _poisonedAtEnd;

    internal GuardedRange(GuardEntry* entry) => _entry = entry;

    /// <summary>Whether the range is guarded at all: false where this machine's architecture has no guard or the table is full.</summary>
    public bool Supported { get; internal init; } = true;

    /// <summary>Whether an access has met memory that was gone; it has seen zeros, and what it stored is lost.</summary>
    public bool Poisoned
    {
        get
        {
            GuardEntry* entry = _entry;
            return entry == null ? _poisonedAtEnd : Volatile.Read(ref entry->Poisoned) != 0;
        }
    }

    /// <summary>Ends the guard; before the memory is unmapped, and after the last access.</summary>
    public void Dispose()
    {
        lock (SigbusGuard.Sync)
        {
            GuardEntry* entry = _entry;
            if (entry == null || entry == Nothing) return;
            _poisonedAtEnd = entry->Poisoned != 0;
            _entry = null;
            SigbusGuard.Release(entry);
        }
    }

    internal static GuardedRange Unsupported() => new(Nothing) { Supported = false };
}
