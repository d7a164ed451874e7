using NicHost.Fuzz.Engine;
using NicHost.Linux;
using NicHost.Virtio;

namespace NicHost.Fuzz.Targets;

/// <summary>
/// Rings whose every byte is the input's: descriptor tables, indirect tables, available entries and indices, headers and frames, changed
/// between kicks. The endpoint gives every frame back, so that one input works on both directions.
/// </summary>
internal sealed unsafe class RingTarget : FuzzTarget
{
    private const int RingStride = 0x4000;
    private const int AvailAt = 0x1000;
    private const int UsedAt = 0x2000;
    private const int IndirectAt = 0x8000;
    private const int BufferAt = 0x1_0000;

    private const byte Describe = 0;
    private const byte Push = 1;
    private const byte SetIndex = 2;
    private const byte Kick = 3;
    private const byte Bytes = 4;
    private const byte Post = 5;
    private const byte SendFrame = 6;
    private const byte Restart = 7;

    private readonly DeviceRig _rig = new(new VirtioFactory(), "\"inBandNotifications\":true");
    private readonly Fd _memory = VirtualMemory.CreateMemoryFile("ring", RigFrontend.MemorySize);
    private readonly byte* _map;
    private readonly EventFd[] _kicks = [new(), new()];
    private readonly EventFd _call = new();
    private int _size;
    private bool _usedTouched;

    public RingTarget() =>
        _map = (byte*)VirtualMemory.MapSharedFile(_memory.Raw, 0, RigFrontend.MemorySize, Protection.ReadWrite).OrThrow("map guest memory");

    public override string Name => "ring";

    public override int MaxLength => 4096;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        [Kick, 0], [Kick, 1], [Push, 0, 0, 0], [Push, 1, 0, 0], [Post, 4], [Restart], [SetIndex, 1, 0xff, 0xff],
        [Describe, 1, 0, 0, 0, 0, 64, 0, 4, 0], [Describe, 2, 0, 1, 0, 0, 64, 0, 1, 1], [Describe, 0, 0, 0, 0, 0, 0, 8, 2, 0],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        // SAFETY: the mapping has MemorySize bytes; rings, tables and the first buffers are what inputs use.
        new Span<byte>(_map, 0x3_0000).Clear();
        var script = new ScriptReader(input);
        var features = Features(script.Byte());
        _size = 1 << (script.Byte() % 9);
        _usedTouched = false;
        var before = _rig.TxAccounted;
        using (var front = new RigFrontend(_rig))
        {
            Attach(front, features);
            // A restart costs much: the first few are enough.
            for (var restarts = 0; !script.IsAtEnd;)
            {
                if (Step(ref script) || restarts++ >= 4) continue;
                Stop(front);
                Start(front);
            }
            _kicks[0].Signal();
            _kicks[1].Signal();
            _rig.Turn();
            CheckAccount(before);
        }
        _rig.Turn();
        Require(_rig.Peer is null, "The front-end is gone, but the device has not noticed.");
        _rig.GuestFaults.Clear();
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        foreach (var features in new byte[] { 0, 1, 3, 7, 15, 31, 63 })
        {
            yield return ($"frames-{features}", new ScriptWriter().Byte(features).Byte(4).Byte(Post).Byte(8).Byte(SendFrame).Byte(100).Byte(SendFrame).Byte(200).Byte(Kick).Byte(1)
                .Byte(SendFrame).Byte(255).Byte(Kick).Byte(1).ToArray());
        }
        yield return ("chain", Chain(new ScriptWriter().Byte(1).Byte(3), 1).Byte(Push).Byte(1).Word(0).Byte(Kick).Byte(1).ToArray());
        yield return ("loop", new ScriptWriter().Byte(1).Byte(3).Byte(Describe).Byte(1).Word(0).Byte(0).Word(0).Word(64).Byte(1).Byte(0)
            .Byte(Push).Byte(1).Word(0).Byte(Kick).Byte(1).ToArray());
        yield return ("indirect", Chain(new ScriptWriter().Byte(3).Byte(3).Byte(Describe).Byte(1).Word(0).Byte(1).Word(0).Word(48).Byte(4).Byte(0), 2)
            .Byte(Push).Byte(1).Word(0).Byte(Kick).Byte(1).ToArray());
        yield return ("nested", new ScriptWriter().Byte(3).Byte(3).Byte(Describe).Byte(1).Word(0).Byte(1).Word(0).Word(48).Byte(4).Byte(0)
            .Byte(Describe).Byte(2).Word(0).Byte(1).Word(0).Word(48).Byte(4).Byte(0).Byte(Push).Byte(1).Word(0).Byte(Kick).Byte(1).ToArray());
        yield return ("jump", new ScriptWriter().Byte(1).Byte(3).Byte(SetIndex).Byte(1).Word(0x8000).Byte(Kick).Byte(1).ToArray());
        yield return ("restart", new ScriptWriter().Byte(5).Byte(4).Byte(Post).Byte(8).Byte(SendFrame).Byte(90).Byte(Kick).Byte(1).Byte(Restart).Byte(Post).Byte(8)
            .Byte(SendFrame).Byte(90).Byte(Kick).Byte(1).ToArray());
        // A TCP super-frame: header with NEEDS_CSUM, GSO type 1, header length 54, size 100, start 34, offset 16.
        yield return ("super", new ScriptWriter().Byte(9).Byte(4).Byte(Post).Byte(8).Byte(Bytes).Double(BufferAt).Byte(66)
            .Block([1, 1, 54, 0, 100, 0, 34, 0, 16, 0, 0, 0, .. GuestFrames.Tcp4(0x18)])
            .Byte(Describe).Byte(1).Word(0).Byte(0).Word(0).Word(1000).Byte(0).Byte(0).Byte(Push).Byte(1).Word(0).Byte(Kick).Byte(1).ToArray());
    }

    public override void Dispose()
    {
        _rig.Dispose();
        VirtualMemory.Unmap((nint)_map, RigFrontend.MemorySize);
        _memory.Dispose();
        foreach (var one in _kicks) one.Dispose();
        _call.Dispose();
        base.Dispose();
    }

    private static ScriptWriter Chain(ScriptWriter script, int table) =>
        script.Byte(Describe).Byte(table).Word(0).Byte(0).Word(0).Word(12).Byte(1).Byte(1)
            .Byte(Describe).Byte(table).Word(1).Byte(0).Word(12).Word(14).Byte(1).Byte(2)
            .Byte(Describe).Byte(table).Word(2).Byte(0).Word(100).Word(300).Byte(0).Byte(0);

    private static ulong Features(byte choice)
    {
        var features = 1ul << 30;
        if ((choice & 1) != 0) features |= 1ul << 32; // VERSION_1
        if ((choice & 2) != 0) features |= 1ul << 28; // INDIRECT_DESC
        if ((choice & 4) != 0) features |= 1ul << 15; // MRG_RXBUF
        if ((choice & 8) != 0) features |= 0x1c0_0000_0000_7b83; // checksums, TSO, USO, ECN
        if ((choice & 16) != 0) features |= 1ul << 29; // EVENT_IDX
        if ((choice & 32) != 0) features |= 1ul << 35; // IN_ORDER
        return features;
    }

    private void Attach(RigFrontend front, ulong features)
    {
        front.Send(2, RigFrontend.Words(features));
        // Two regions, neighbours in the guest, apart in the file: buffers may cross from one into the other.
        front.Send(5, RigFrontend.Words(2,
            RigFrontend.GuestBase, 0x8_0000, RigFrontend.UserBase, 0,
            RigFrontend.GuestBase + 0x8_0000, 0x4_0000, RigFrontend.UserBase + 0x100_0000, 0xc_0000), [_memory.Raw, _memory.Raw]);
        Start(front);
    }

    private void Start(RigFrontend front)
    {
        for (uint ring = 0; ring < 2; ring++)
        {
            var at = RigFrontend.UserBase + (ring * RingStride);
            front.Send(8, RigFrontend.State(ring, (uint)_size));
            front.Send(10, RigFrontend.State(ring, *Avail((int)ring, 1)));
            front.Send(9, RigFrontend.Words(ring, at, at + UsedAt, at + AvailAt, 0));
            front.Send(13, RigFrontend.Words(ring), [_call.Raw]);
            front.Send(12, RigFrontend.Words(ring), [_kicks[ring].Raw]);
            front.Send(18, RigFrontend.State(ring, 1));
        }
        front.Turn();
    }

    private static void Stop(RigFrontend front)
    {
        front.Send(11, RigFrontend.State(0, 0));
        front.Send(11, RigFrontend.State(1, 0));
        front.Turn();
    }

    // Every chain that came back was carried or dropped with a reason, unless the input wrote into the used ring itself.
    private void CheckAccount(long before)
    {
        if (_usedTouched) return;
        var used = *(ushort*)(_map + RingStride + UsedAt + 2);
        var counted = _rig.TxAccounted - before;
        Require((ushort)counted == used, $"{used} chains came back, {counted} are accounted for.");
    }

    private bool Step(ref ScriptReader script)
    {
        switch (script.Byte())
        {
            case Describe: WriteDescriptor(ref script); return true;
            case Push: PushHead(script.Byte() & 1, script.Word()); return true;
            case SetIndex: *Avail(script.Byte() & 1, 1) = script.Word(); return true;
            case Kick:
                _kicks[script.Byte() & 1].Signal();
                _rig.Turn();
                return true;
            case Bytes: WriteBytes(script.Double(), script.Block(script.Byte())); return true;
            case Post: PostBuffers(script.Byte()); return true;
            case SendFrame: AddFrame(script.Byte()); return true;
            case Restart: return false;
            default: return true;
        }
    }

    private void WriteBytes(uint at, ReadOnlySpan<byte> bytes)
    {
        at &= 0x1_ffff;
        for (var ring = 0; ring < 2; ring++) _usedTouched |= at + bytes.Length > (ring * RingStride) + UsedAt && at < (ring * RingStride) + UsedAt + 0x1000;
        // SAFETY: 17 bits and a byte are below MemorySize.
        bytes.CopyTo(new Span<byte>(_map + at, 256));
    }

    private void WriteDescriptor(ref ScriptReader script)
    {
        var table = script.Byte() % 3;
        var index = script.Word() & 0xff;
        var address = Address(script.Byte(), script.Word());
        var length = Length(script.Word());
        var at = (ulong*)(_map + (table == 2 ? IndirectAt : table * RingStride) + (index * 16));
        at[0] = address;
        at[1] = length | ((ulong)script.Byte() << 32) | ((ulong)script.Byte() << 48);
    }

    private static ulong Address(byte kind, ushort offset) => (kind & 7) switch
    {
        0 => RigFrontend.GuestBase + BufferAt + offset,
        1 => RigFrontend.GuestBase + IndirectAt + (offset & 0x3fffu),
        2 => RigFrontend.GuestBase + (offset & 0x7fffu),
        3 => RigFrontend.GuestBase + 0x8_0000 - offset,
        4 => RigFrontend.GuestBase + 0xc_0000 - offset,
        5 => RigFrontend.GuestBase - offset,
        6 => ulong.MaxValue - offset,
        _ => (ulong)offset << 48,
    };

    private static ulong Length(ushort raw) => raw switch
    {
        0xffff => 0xffff_ffff,
        0xfffe => 0x8000_0000,
        0xfffd => 0x7fff_ffff,
        0xfffc => 0x8_0000,
        _ => raw,
    };

    private void PushHead(int ring, ushort head)
    {
        var index = Avail(ring, 1);
        *Avail(ring, 2 + (*index & (_size - 1))) = head;
        (*index)++;
    }

    private void PostBuffers(byte count)
    {
        for (var i = 0; i < count % 17 && i < _size; i++)
        {
            var at = (ulong*)(_map + (i * 16));
            at[0] = RigFrontend.GuestBase + 0x2_0000 + (ulong)(i * 2048);
            at[1] = 2048 | (2ul << 32);
            PushHead(0, (ushort)i);
        }
    }

    private void AddFrame(byte length)
    {
        var slot = *Avail(1, 1) & (_size - 1);
        var at = (ulong*)(_map + RingStride + (slot * 16));
        at[0] = RigFrontend.GuestBase + BufferAt + (ulong)(slot * 256);
        at[1] = length;
        PushHead(1, (ushort)slot);
    }

    private ushort* Avail(int ring, int word) => (ushort*)(_map + (ring * RingStride) + AvailAt) + word;
}
