using System.Runtime.InteropServices;
using NicHost.NetVsp.Memory;

namespace NicHost.NetVsp.Rings;

/// <summary>
/// The host-to-guest ring, written by one loop. Packets are written and then shown together (<see cref="Publish"/>). The guest's read index is
/// all that is read of it, and checked.
/// </summary>
internal sealed unsafe class OutgoingRing
{
    private readonly GpaPages _data;
    private readonly RingControl* _control;
    private readonly int _size;
    private uint _write;
    private uint _shownWrite;
    private uint _seenRead;

    /// <summary>Takes over a ring where the guest has made it: control page first.</summary>
    public OutgoingRing(GpaPages pages)
    {
        _control = (RingControl*)pages.At(0);
        _data = pages.Slice(1, pages.Count - 1);
        _size = _data.Length;
        _write = _shownWrite = Volatile.Read(ref _control->WriteIndex);
        _seenRead = Volatile.Read(ref _control->ReadIndex);
        if (_write >= _size || _write % 8 != 0) Fail($"write index {_write} in a ring of {_size} bytes");
        else if (_seenRead >= _size || _seenRead % 8 != 0) Fail($"the guest's read index {_seenRead} in a ring of {_size} bytes");
    }

    /// <summary>Why the ring stopped; null while it works.</summary>
    public string? Fault { get; private set; }

    /// <summary>Bytes of the ring.</summary>
    public int Size => _size;

    /// <summary>Where writing goes on.</summary>
    public uint WriteIndex => _write;

    /// <summary>Where the guest goes on, as it said last.</summary>
    public uint ReadIndex => _seenRead;

    /// <summary>Bytes of room that we wait for; 0 when we do not.</summary>
    public int Wish { get; private set; }

    // SAFETY (all members): _control is the first page of the ring's pages, _data the others; every index into _data is below _size.

    /// <summary>Bytes that a packet takes.</summary>
    public static int Needed(int header, int payload) => ((PacketDescriptor.Size + header + payload + 7) & ~7) + PacketDescriptor.FooterSize;

    /// <summary>Whether so many bytes can be written; if not, the guest is asked to signal when they can.</summary>
    public bool HasRoom(int bytes)
    {
        if (Room() > bytes) return true;
        if (Fault is not null || !Refresh()) return false;
        if (Room() > bytes) return true;
        // The guest looks at the wish after it has read: set it, then look again, or both sides wait. Of two that wait the larger counts.
        Wish = Math.Max(Wish, bytes);
        Volatile.Write(ref _control->PendingSendSize, (uint)Wish);
        Interlocked.MemoryBarrier();
        return Refresh() && Room() > bytes;
    }

    /// <summary>Whether so many bytes can be written; the guest is not asked for anything.</summary>
    public bool HasRoomNow(int bytes) => Room() > bytes || (Fault is null && Refresh() && Room() > bytes);

    /// <summary>Nobody waits for room any more, or those who do will ask again.</summary>
    public void DropWish()
    {
        if (Wish == 0) return;
        Wish = 0;
        Volatile.Write(ref _control->PendingSendSize, 0);
    }

    /// <summary>Writes a packet. There is room (<see cref="HasRoom"/>).</summary>
    public void Write(PacketType type, bool wantsCompletion, ulong transactionId, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        var length = (PacketDescriptor.Size + header.Length + payload.Length + 7) & ~7;
        var descriptor = new PacketDescriptor
        {
            Type = type,
            DataOffset8 = (ushort)((PacketDescriptor.Size + header.Length) / 8),
            Length8 = (ushort)(length / 8),
            Flags = wantsCompletion ? (ushort)1 : (ushort)0,
            TransactionId = transactionId,
        };
        var start = _write;
        CopyIn(MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in descriptor, 1)));
        CopyIn(header);
        CopyIn(payload);
        ulong padding = 0;
        var pad = length - PacketDescriptor.Size - header.Length - payload.Length;
        if (pad > 0) CopyIn(new ReadOnlySpan<byte>(&padding, pad));
        var footer = (ulong)start << 32;
        CopyIn(new ReadOnlySpan<byte>(&footer, sizeof(ulong)));
    }

    /// <summary>Shows the guest all that was written.</summary>
    /// <returns>Whether it has to be signalled.</returns>
    public bool Publish()
    {
        if (_write == _shownWrite) return false;
        var before = _shownWrite;
        _shownWrite = _write;
        Volatile.Write(ref _control->WriteIndex, _write);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _control->InterruptMask) != 0) return false;
        // A guest that had not read everything looks again before it sleeps.
        return Volatile.Read(ref _control->ReadIndex) == before;
    }

    // Full to the last byte would look empty: one byte is always free, hence the callers' "more than".
    private int Room() => Fault is not null ? -1 : _write >= _seenRead ? _size - (int)(_write - _seenRead) : (int)(_seenRead - _write);

    private bool Refresh()
    {
        var read = Volatile.Read(ref _control->ReadIndex);
        if (read >= (uint)_size || read % 8 != 0) return Fail($"the guest's read index {read} in a ring of {_size} bytes");
        // What was written lies between the read index and the write index; a read index beyond it has read what nobody wrote.
        var held = _write >= _seenRead ? _write - _seenRead : (uint)_size - _seenRead + _write;
        var moved = read >= _seenRead ? read - _seenRead : (uint)_size - _seenRead + read;
        if (moved > held) return Fail($"the guest's read index {read} is beyond what was written ({_seenRead} to {_write})");
        _seenRead = read;
        return true;
    }

    private bool Fail(string reason)
    {
        Fault ??= reason;
        return false;
    }

    private void CopyIn(ReadOnlySpan<byte> source)
    {
        var first = Math.Min(source.Length, _size - (int)_write);
        _data.CopyFrom((int)_write, source[..first]);
        if (first < source.Length) _data.CopyFrom(0, source[first..]);
        var next = _write + (uint)source.Length;
        _write = next >= (uint)_size ? next - (uint)_size : next;
    }
}
