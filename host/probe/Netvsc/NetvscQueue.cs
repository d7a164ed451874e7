using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Linux;

namespace NicHost.Probe.Netvsc;

/// <summary>
/// One channel of the card as the driver uses it. Headers and short frames go through sections of the send buffer, payload by reference to its
/// pages (what hv_netvsc calls partial copy); nothing is allocated per frame. One thread.
/// </summary>
public sealed unsafe partial class NetvscQueue
{
    /// <summary>The number of requests that are no frames.</summary>
    public const ulong RequestTransaction = ulong.MaxValue;

    /// <summary>Where a frame starts in its section.</summary>
    public const int Headroom = 128;

    private const ushort InBand = 6;
    private const ushort GpaDirect = 9;
    private const int BigCount = 8;
    private const int BigPages = 17;
    private const int MaxRanges = 20;

    private readonly NetvscDriver _driver;
    private readonly byte[] _nvsp = new byte[40];
    private readonly byte[] _ranges = new byte[8 + (16 * MaxRanges)];
    private readonly Stack<int> _bigFree = new();
    private readonly int[] _bigOf = new int[65536];
    private byte* _big;
    private int _begun = -1;
    private int _begunBig = -1;
    private bool _mustSignal;

    /// <summary>Makes the queue of a channel.</summary>
    public NetvscQueue(NetvscDriver driver, GuestChannel channel)
    {
        _driver = driver;
        Channel = channel;
        Array.Fill(_bigOf, -1);
    }

    /// <summary>Its channel.</summary>
    public GuestChannel Channel { get; }

    /// <summary>Frames sent.</summary>
    public long FramesSent { get; private set; }

    /// <summary>Frames received.</summary>
    public long FramesReceived { get; private set; }

    /// <summary>Packets whose completion has not come.</summary>
    public int InFlight { get; private set; }

    /// <summary>Packets that came back with another status than success.</summary>
    public long Refused { get; private set; }

    /// <summary>Whether the last frame found no room.</summary>
    public bool Starved { get; private set; }

    /// <summary>The answer to the last request.</summary>
    public byte[]? Completion { get; set; }

    /// <summary>Room for the next frame: a section, or one of a few large buffers.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryBegin(int length, out Span<byte> room)
    {
        room = default;
        if (_begun < 0 && !_driver.FreeSections.TryPop(out _begun))
        {
            _begun = -1;
            Starved = true;
            return false;
        }
        Starved = Channel.Out.Room < 1024;
        if (Starved) return false;
        _begunBig = -1;
        var start = _begun * _driver.SendSectionSize;
        var place = _driver.Send!.At(start + Headroom);
        // A section that crosses pages is one piece only where the buffer is.
        var capacity = (_driver.Send.IsScattered ? 4096 - (start & 4095) : _driver.SendSectionSize) - Headroom;
        if (length <= capacity)
        {
            room = new Span<byte>(place, capacity);
            return true;
        }
        if (_big == null)
        {
            _big = _driver.Ram.Allocate(BigCount * BigPages * 4096, 4096);
            for (var i = 0; i < BigCount; i++) _bigFree.Push(i);
        }
        if (length > BigPages * 4096 || !_bigFree.TryPop(out _begunBig))
        {
            _begunBig = -1;
            Starved = true;
            return false;
        }
        room = new Span<byte>(_big + (_begunBig * BigPages * 4096), BigPages * 4096);
        return true;
    }

    /// <summary>Sends the frame for which <see cref="TryBegin"/> gave room.</summary>
    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload)
    {
        var section = _begun;
        _begun = -1;
        var start = _driver.Send!.At(section * _driver.SendSectionSize);
        var frame = _begunBig >= 0 ? _big + (_begunBig * BigPages * 4096) : start + Headroom;
        WriteHeader(start, frame, length + tailLength, offload);
        Span<IoVec> pieces = stackalloc IoVec[2];
        var count = 0;
        var inSection = Headroom + length;
        if (_begunBig >= 0)
        {
            _bigOf[section] = _begunBig;
            inSection = Headroom;
            pieces[count++] = new IoVec((nint)frame, (nuint)length);
        }
        if (tailLength > 0) pieces[count++] = new IoVec((nint)tail, (nuint)tailLength);
        FramesSent++;
        if (!TrySendPacket(section, inSection, control: false, pieces[..count])) _driver.Faults.Report("tx: the ring shrank");
    }

    /// <summary>Sends a packet that names a section and pieces of guest memory.</summary>
    /// <returns>False when the ring is full.</returns>
    public bool TrySendPacket(int section, int inSection, bool control, ReadOnlySpan<IoVec> pieces)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_nvsp, 107);
        BinaryPrimitives.WriteUInt32LittleEndian(_nvsp.AsSpan(4), control ? 1u : 0u);
        BinaryPrimitives.WriteInt32LittleEndian(_nvsp.AsSpan(8), section);
        BinaryPrimitives.WriteInt32LittleEndian(_nvsp.AsSpan(12), inSection);
        var header = pieces.IsEmpty ? default : WriteRanges(pieces);
        if (!Channel.Out.TryWrite(pieces.IsEmpty ? InBand : GpaDirect, (ulong)section, wantsCompletion: true, header, _nvsp, out var signal)) return false;
        InFlight++;
        _mustSignal |= signal;
        return true;
    }

    /// <summary>Signals the host if it asked for that.</summary>
    public void Flush()
    {
        if (!_mustSignal) return;
        _mustSignal = false;
        Channel.Signal();
    }

    /// <summary>Asks for a signal at the next packet, or for none.</summary>
    /// <returns>False when there is one already.</returns>
    public bool WantCall(bool want)
    {
        Volatile.Write(ref Channel.In.InterruptMask, want ? 0u : 1u);
        Interlocked.MemoryBarrier();
        return !want || !Channel.In.HasInput;
    }

    /// <summary>Waits for the host to signal.</summary>
    public void Wait(int milliseconds)
    {
        if (!WantCall(true)) return;
        Io.Poll(_driver.SignalsByMessage ? _driver.Bus.Socket.Raw : Channel.Call.Raw, PollEvents.In, milliseconds);
        Channel.Call.Drain();
        if (_driver.SignalsByMessage) _driver.Bus.Pump();
    }

    /// <summary>One range for each piece with the frames of its pages, as Linux sends them.</summary>
    private ReadOnlySpan<byte> WriteRanges(ReadOnlySpan<IoVec> pieces)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_ranges, 0);
        BinaryPrimitives.WriteInt32LittleEndian(_ranges.AsSpan(4), pieces.Length);
        var at = 8;
        foreach (var piece in pieces)
        {
            var guest = _driver.Ram.ToGuest((void*)piece.Base);
            var offset = (int)(guest & 4095);
            BinaryPrimitives.WriteInt32LittleEndian(_ranges.AsSpan(at), (int)piece.Length);
            BinaryPrimitives.WriteInt32LittleEndian(_ranges.AsSpan(at + 4), offset);
            at += 8;
            for (var page = 0; page < (offset + (int)piece.Length + 4095) / 4096; page++, at += 8)
                BinaryPrimitives.WriteUInt64LittleEndian(_ranges.AsSpan(at), (guest / 4096) + (ulong)page);
        }
        return _ranges.AsSpan(0, at);
    }

    private void Completed(ulong transaction, ReadOnlySpan<byte> message)
    {
        if (transaction == RequestTransaction)
        {
            Completion = message.ToArray();
            return;
        }
        InFlight--;
        if (message.Length >= 8 && NetvscDriver.Word(message, 1) != 1) Refused++;
        if (transaction >= (ulong)_bigOf.Length)
        {
            _driver.Faults.Report("tx: a completion of what was not sent");
            return;
        }
        var section = (int)transaction;
        if (_bigOf[section] >= 0)
        {
            _bigFree.Push(_bigOf[section]);
            _bigOf[section] = -1;
        }
        _driver.FreeSections.Push(section);
    }
}
