
namespace NicHost.Probe.Netvsc;

/// <summary>
/// One ring of a channel as the guest has it: a control page and data pages that lie together. Every field is open, so that tests can lie; what
/// honest drivers do is in <see cref="TryWrite"/> and <see cref="TryRead"/>.
/// </summary>
public sealed unsafe class GuestRing
{
    /// <summary>Bytes of a packet's descriptor.</summary>
    public const int DescriptorSize = 16;

    private const int FooterSize = 8;

    private readonly uint* _control;
    private readonly byte* _data;

    /// <summary>Takes over memory of <paramref name="pages"/> pages.</summary>
    public GuestRing(byte* memory, int pages)
    {
        _control = (uint*)memory;
        _data = memory + 4096;
        Size = (pages - 1) * 4096;
        // SAFETY: the caller gives so many pages.
        new Span<byte>(memory, pages * 4096).Clear();
        Features = 1;
    }

    /// <summary>Bytes of data.</summary>
    public int Size { get; }

    /// <summary>Where the producer goes on.</summary>
    public ref uint WriteIndex => ref _control[0];

    /// <summary>Where the consumer goes on.</summary>
    public ref uint ReadIndex => ref _control[1];

    /// <summary>Not 0: the consumer wants no signal.</summary>
    public ref uint InterruptMask => ref _control[2];

    /// <summary>Bytes that the producer waits for.</summary>
    public ref uint PendingSendSize => ref _control[3];

    /// <summary>Bit 0: the pending size is minded.</summary>
    public ref uint Features => ref _control[16];

    /// <summary>The data.</summary>
    public Span<byte> Data => new(_data, Size);

    /// <summary>Bytes that can be written.</summary>
    public int Room
    {
        get
        {
            var (write, read) = ((int)WriteIndex, (int)Volatile.Read(ref ReadIndex));
            return write >= read ? Size - (write - read) : read - write;
        }
    }

    /// <summary>Whether packets wait to be read.</summary>
    public bool HasInput => Volatile.Read(ref WriteIndex) != ReadIndex;

    /// <summary>Bytes that a packet takes.</summary>
    public static int Needed(int header, int payload) => ((DescriptorSize + header + payload + 7) & ~7) + FooterSize;

    /// <summary>Writes a packet.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="transaction">Its number.</param>
    /// <param name="wantsCompletion">Whether it is to be answered.</param>
    /// <param name="header">What comes before the payload.</param>
    /// <param name="payload">The payload.</param>
    /// <param name="signal">Whether the host wants a signal.</param>
    /// <returns>False when there is no room.</returns>
    public bool TryWrite(ushort type, ulong transaction, bool wantsCompletion, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, out bool signal)
    {
        signal = false;
        var length = (DescriptorSize + header.Length + payload.Length + 7) & ~7;
        if (Room <= length + FooterSize) return false;
        var start = WriteIndex;
        var at = (int)start;
        Span<ushort> descriptor = [type, (ushort)((DescriptorSize + header.Length) / 8), (ushort)(length / 8), wantsCompletion ? (ushort)1 : (ushort)0];
        Put(ref at, System.Runtime.InteropServices.MemoryMarshal.AsBytes(descriptor));
        Put(ref at, new ReadOnlySpan<byte>(&transaction, 8));
        Put(ref at, header);
        Put(ref at, payload);
        ulong zero = 0;
        Put(ref at, new ReadOnlySpan<byte>(&zero, length - DescriptorSize - header.Length - payload.Length));
        var footer = (ulong)start << 32;
        Put(ref at, new ReadOnlySpan<byte>(&footer, 8));
        Volatile.Write(ref WriteIndex, (uint)at);
        Interlocked.MemoryBarrier();
        signal = Volatile.Read(ref InterruptMask) == 0 && Volatile.Read(ref ReadIndex) == start;
        return true;
    }

    /// <summary>Reads a packet.</summary>
    /// <param name="packet">Receives descriptor, header and payload.</param>
    /// <param name="signal">Whether the host waits for the room.</param>
    /// <returns>Bytes, or 0 when there is none; −1 when the ring is corrupt.</returns>
    public int TryRead(Span<byte> packet, out bool signal)
    {
        signal = false;
        var (read, write) = (ReadIndex, Volatile.Read(ref WriteIndex));
        if (read == write) return 0;
        var available = write >= read ? write - read : (uint)Size - read + write;
        if (write >= Size || available < DescriptorSize + FooterSize) return -1;
        Get((int)read, packet[..DescriptorSize]);
        var length = BitConverter.ToUInt16(packet[4..]) * 8;
        if (length < DescriptorSize || length + FooterSize > available || length > packet.Length) return -1;
        Get((int)read, packet[..length]);
        Span<byte> footer = stackalloc byte[8];
        Get((int)((read + length) % Size), footer);
        if (BitConverter.ToUInt64(footer) != (ulong)read << 32) return -1;
        var before = Room;
        Volatile.Write(ref ReadIndex, (uint)((read + length + FooterSize) % Size));
        Interlocked.MemoryBarrier();
        var pending = Volatile.Read(ref PendingSendSize);
        signal = pending != 0 && before <= pending && Room > pending;
        return length;
    }

    private void Put(ref int at, ReadOnlySpan<byte> bytes)
    {
        var first = Math.Min(bytes.Length, Size - at);
        bytes[..first].CopyTo(Data[at..]);
        bytes[first..].CopyTo(Data);
        at = (at + bytes.Length) % Size;
    }

    private void Get(int at, Span<byte> bytes)
    {
        at %= Size;
        var first = Math.Min(bytes.Length, Size - at);
        Data.Slice(at, first).CopyTo(bytes);
        Data[..(bytes.Length - first)].CopyTo(bytes[first..]);
    }
}
