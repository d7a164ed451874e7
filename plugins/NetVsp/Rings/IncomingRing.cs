using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Rings;

/// <summary>
/// The guest-to-host ring, read by one loop. Each packet is copied out once and checked in the copy. What breaks the rules leaves its reason in
/// <see cref="Fault"/>; the ring yields nothing any more then.
/// </summary>
internal sealed unsafe class IncomingRing
{
    /// <summary>The longest packet taken: a thousand ranges; drivers send a few dozen.</summary>
    public const int MaxPacket = 16384;

    private readonly GpaPages _data;
    private readonly RingControl* _control;
    private readonly int _size;
    private uint _read;
    private uint _seenWrite;
    private uint _shownRead;

    /// <summary>Takes over a ring where the guest has made it: control page first.</summary>
    public IncomingRing(GpaPages pages)
    {
        _control = (RingControl*)pages.At(0);
        _data = pages.Slice(1, pages.Count - 1);
        _size = _data.Length;
        _read = _shownRead = Volatile.Read(ref _control->ReadIndex);
        // 1: we mind the producer's pending size.
        Volatile.Write(ref _control->Features, 1);
        if (_read >= _size || _read % 8 != 0) Fail($"read index {_read} in a ring of {_size} bytes");
        _seenWrite = _read;
    }

    /// <summary>Why the ring stopped; null while it works.</summary>
    public string? Fault { get; private set; }

    /// <summary>Bytes of the ring.</summary>
    public int Size => _size;

    /// <summary>Where reading goes on.</summary>
    public uint ReadIndex => _read;

    /// <summary>Where the guest goes on, as it says at this moment.</summary>
    public uint WriteIndex => Volatile.Read(ref _control->WriteIndex);

    // SAFETY (all members): _control is the first page of the ring's pages, _data the others; every index into _data is below _size.

    /// <summary>Copies the next packet to <paramref name="packet"/>.</summary>
    /// <returns>Its length, descriptor included; 0 when there is none or the ring is broken.</returns>
    public int Read(Span<byte> packet, out PacketDescriptor descriptor)
    {
        descriptor = default;
        if (Fault is not null || (_read == _seenWrite && !Refresh())) return 0;
        var available = _seenWrite >= _read ? _seenWrite - _read : (uint)_size - _read + _seenWrite;
        if (available < PacketDescriptor.Size + PacketDescriptor.FooterSize) return Fail($"{available} bytes at {_read}: too few for a packet");
        CopyOut(_read, packet[..PacketDescriptor.Size]);
        descriptor = MemoryMarshal.Read<PacketDescriptor>(packet);
        var length = descriptor.Length8 * 8;
        var offset = descriptor.DataOffset8 * 8;
        if (length < PacketDescriptor.Size || (uint)length + PacketDescriptor.FooterSize > available)
            return Fail($"a packet of {length} bytes at {_read}, where {available} are written");
        if (offset < PacketDescriptor.Size || offset > length) return Fail($"payload at {offset} in a packet of {length} bytes");
        if (length > MaxPacket) return Fail($"a packet of {length} bytes; {MaxPacket} are the most");
        CopyOut(Wrap(_read + PacketDescriptor.Size), packet[PacketDescriptor.Size..length]);
        _read = Wrap(_read + (uint)length + PacketDescriptor.FooterSize);
        return length;
    }

    /// <summary>Shows the guest what was read.</summary>
    /// <returns>Whether it waits for room and has to be signalled.</returns>
    public bool Publish()
    {
        if (_read == _shownRead) return false;
        var before = _shownRead;
        _shownRead = _read;
        Volatile.Write(ref _control->ReadIndex, _read);
        // The read index must be seen before we look whether the guest waits, or both sides sleep.
        Interlocked.MemoryBarrier();
        // Some guests ask for one byte less than a multiple of 8.
        var pending = Volatile.Read(ref _control->PendingSendSize) & ~7u;
        if (pending == 0) return false;
        var write = Volatile.Read(ref _control->WriteIndex);
        return Room(write, _read) > pending && Room(write, before) <= pending;
    }

    /// <summary>Asks for no signals: it is looked into anyway.</summary>
    public void Mask() => Volatile.Write(ref _control->InterruptMask, 1);

    /// <summary>Asks for a signal at the next packet.</summary>
    /// <param name="guestWaits">As <see cref="Publish"/>: whether the guest has to be signalled.</param>
    /// <returns>Whether there is one already: then no signal may come.</returns>
    public bool Unmask(out bool guestWaits)
    {
        // A guest signals only where all before the packet is shown as read: if it were shown later, the signal would be lost and none would follow.
        guestWaits = Publish();
        Volatile.Write(ref _control->InterruptMask, 0);
        Interlocked.MemoryBarrier();
        return Fault is null && Volatile.Read(ref _control->WriteIndex) != _read;
    }

    /// <summary>Stops the ring for a reason that its user found.</summary>
    /// <returns>0, for a caller to return.</returns>
    public int Fail(string reason)
    {
        Fault ??= reason;
        return 0;
    }

    private bool Refresh()
    {
        var write = Volatile.Read(ref _control->WriteIndex);
        if (write >= (uint)_size || write % 8 != 0) return Fail($"write index {write} in a ring of {_size} bytes") != 0;
        _seenWrite = write;
        return write != _read;
    }

    private uint Room(uint write, uint read) => write >= read ? (uint)_size - (write - read) : read - write;

    private uint Wrap(uint at) => at >= (uint)_size ? at - (uint)_size : at;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void CopyOut(uint at, Span<byte> destination)
    {
        var first = Math.Min(destination.Length, _size - (int)at);
        _data.CopyTo((int)at, destination[..first]);
        if (first < destination.Length) _data.CopyTo(0, destination[first..]);
    }
}
