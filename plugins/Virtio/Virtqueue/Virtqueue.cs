using NicHost.Contracts.Memory;

namespace NicHost.Virtio.Virtqueue;

/// <summary>
/// One virtqueue as the device sees it, whatever its layout: the split ring today, the packed one when it comes. One loop's thread only.
/// A guest that breaks the rules leaves its reason in <see cref="Fault"/>; the queue then yields nothing any more.
/// </summary>
internal abstract class Virtqueue
{
    /// <summary>Returned by <see cref="Walk"/>: the chain breaks the rules, see <see cref="Fault"/>.</summary>
    public const int Broken = -1;

    /// <summary>Returned by <see cref="Walk"/>: the chain may be in order but has more pieces than there is room for.</summary>
    public const int TooLong = -2;

    /// <summary>Entries of the ring.</summary>
    public abstract int Size { get; }

    /// <summary>Why the queue stopped; null while it works.</summary>
    public string? Fault { get; protected set; }

    /// <summary>Stops the queue for a reason that its user found. Always false, for a caller to return.</summary>
    public abstract bool Fail(string reason);

    /// <summary>Where the device goes on in the guest's available entries: what GET_VRING_BASE answers.</summary>
    public abstract ushort NextAvailable { get; }

    /// <summary>Where the device goes on in its used entries.</summary>
    public abstract ushort NextUsed { get; }

    /// <summary>Chains taken and not yet completed.</summary>
    public abstract int InFlight { get; }

    /// <summary>Takes the next chain that the guest made available.</summary>
    /// <param name="head">Names the chain for <see cref="Walk"/> and <see cref="Complete"/>.</param>
    public abstract bool TryPop(out ushort head);

    /// <summary>Gives the last <paramref name="count"/> chains back, as if they had not been taken.</summary>
    public abstract void Rewind(int count);

    /// <summary>Copies a chain's descriptors, checks them and translates them.</summary>
    /// <param name="head">From <see cref="TryPop"/>.</param>
    /// <param name="segments">Receives the device-readable pieces, then the device-writable ones.</param>
    /// <param name="readable">How many of them are readable.</param>
    /// <returns>How many there are, or <see cref="Broken"/>, or <see cref="TooLong"/>.</returns>
    public abstract int Walk(ushort head, Span<Segment> segments, out int readable);

    /// <summary>Notes a chain as used; the guest sees it after <see cref="Publish"/>.</summary>
    /// <param name="head">From <see cref="TryPop"/>.</param>
    /// <param name="written">Bytes that the device wrote.</param>
    public abstract void Complete(ushort head, uint written);

    /// <summary>Shows the guest all completed chains.</summary>
    public abstract void Publish();

    /// <summary>Whether the guest wants to be notified of what was published since the last call of this.</summary>
    public abstract bool ShouldNotify();

    /// <summary>Asks the guest for a kick at its next available chain.</summary>
    /// <returns>Whether there is one already (made available in between): then no kick may come.</returns>
    public abstract bool EnableKicks();

    /// <summary>Tells the guest to spare its kicks. A hint only.</summary>
    public abstract void DisableKicks();
}
