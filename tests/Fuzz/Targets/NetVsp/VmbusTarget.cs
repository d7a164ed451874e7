using NicHost.Fuzz.Engine;
using NicHost.Linux;
using NicHost.NetVsp;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>A client's connection: packets right, wrong and cut, with descriptors of every kind, VMBus messages in any order, memory that is taken away, clients that vanish.</summary>
internal sealed unsafe class VmbusTarget : FuzzTarget
{
    private const byte Packet = 0;
    private const byte Message = 1;
    private const byte RawBytes = 2;
    private const byte Turn = 3;
    private const byte Write = 4;
    private const byte Reconnect = 5;
    private const byte Truncate = 6;
    private const byte Kick = 7;

    private const int SecondSize = 1 << 16;
    private const ulong SecondBase = 0x8000_0000;

    private readonly DeviceRig _rig = new(new NetVspFactory(), "\"allowUnsealedMemory\":true");
    private readonly BusMemory _memory = new();
    private readonly Fd _second = VirtualMemory.CreateMemoryFile("fuzz2", SecondSize);
    private readonly EventFd[] _events = [new(), new()];
    private readonly List<IDisposable> _held = [];
    private readonly int[] _kinds;
    private int _runs;
    private int _baseline;
    private bool _truncated;

    public VmbusTarget()
    {
        var (one, other) = UnixSocket.Pair();
        var folder = new Fd((int)Io.Open(Path.GetTempPath(), FileAccess.Read).Count);
        _held.AddRange([one, other, folder]);
        _kinds = [_memory.File.Raw, _second.Raw, _events[0].Raw, _events[1].Raw, one.Raw, folder.Raw];
    }

    public override string Name => "vmbus";

    public override int MaxLength => 4096;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        .. Enumerable.Range(1, 13).Select(k => new byte[] { Packet, (byte)k, 0, 0, 0, 0 }), .. Enumerable.Range(1, 25).Select(k => new byte[] { Message, 1, (byte)k, 0, 0, 0, 0, 0, 0, 0 }),
        [Turn], [Reconnect], [Kick, 0], [Truncate, 0], [3, 0, 5, 0], [0, 1, 0, 0], BitConverter.GetBytes(BusMemory.Frame(0)), [0xff, 0xff, 0xff, 0xff],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (_truncated) VirtualMemory.Resize(_second.Raw, SecondSize);
        _truncated = false;
        _memory.Clear();
        var script = new ScriptReader(input);
        var bus = new BusGuest(_rig, _memory);
        while (!script.IsAtEnd) Step(ref script, ref bus);
        bus.Turn();
        bus.Dispose();
        _rig.Turn();
        Require(_rig.Peer is null, "The client is gone, but the bus has not noticed.");
        Require(_rig.GuestFaults.Count <= 4200, "More faults than packets.");
        _rig.GuestFaults.Clear();
        _rig.Inspect();
        if (++_runs % 64 != 0) return;
        var open = DeviceRig.Descriptors();
        if (_baseline == 0) _baseline = open;
        Require(open <= _baseline + 4, $"Descriptors leak: {open} are open, {_baseline} were: {(open > _baseline + 4 ? DeviceRig.DescribeDescriptors() : "")}.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("versions", Greet().Contact(0x60000).Contact(0x50003).Contact(0x40001).Contact(0x20004).ToArray());
        yield return ("offers", Offered().Say(13, 1).Say(3).ToArray());
        yield return ("buffer", Offered().Say(8, 1, 7, 0x1_0018, 8192, 0, (uint)BusMemory.Frame(40), 0, (uint)BusMemory.Frame(42), 0).Say(10, 1, 7).ToArray());
        yield return ("buffer-in-pieces", Offered().Say(8, 1, 7, 0x1_0018, 3 * 4096, 0, (uint)BusMemory.Frame(40), 0).Say(9, 0, 7, (uint)BusMemory.Frame(1), 0, (uint)BusMemory.Frame(200), 0).Say(10, 1, 7).ToArray());
        yield return ("open", Opened().Step(Kick).Byte(0).Say(22, 1, 1).Say(7, 1).Say(10, 1, 5).ToArray());
        yield return ("unload", Opened().Say(16).Contact(0x50003).Say(3).ToArray());
        yield return ("reset", Opened().Wire(13).Contact(0x50003).ToArray());
        yield return ("memory", Opened().Wire(4, 0, 1, 6).Wire(3, 1, 9, 2).Wire(4, 0, 9, 2).Step(Reconnect).ToArray());
        yield return ("taken-away", Greet().Wire(3, 1, 9, 2, 0).Contact(0x50003).Say(3).Say(8, 1, 5, 0x1_0048, 8 * 4096, 0, 0x8_0000, 0, 0x8_0001, 0, 0x8_0002, 0, 0x8_0003, 0, 0x8_0004, 0, 0x8_0005, 0, 0x8_0006, 0, 0x8_0007, 0)
            .Say([5, 1, 1, 5, 0, 4, .. new uint[30]]).Step(Truncate).Byte(0).Step(Kick).Byte(0).Wire(10, 0, 7).ToArray());
        yield return ("monitor", Greet().Wire(12, 0, 4).Contact(0x50003).Say(3).ToArray());
        yield return ("cut", Greet().Step(RawBytes).Byte(0).Byte(31).Block(new byte[31]).ToArray());
    }

    public override void Dispose()
    {
        _rig.Dispose();
        foreach (var one in _held.Concat(_events)) one.Dispose();
        _second.Dispose();
        _memory.Dispose();
        base.Dispose();
    }

    private void Step(ref ScriptReader script, ref BusGuest bus)
    {
        switch (script.Byte())
        {
            case Packet:
                var (kind, fd) = (script.Byte(), script.Byte());
                bus.Send((WireKind)kind, Word(ref script), Word(ref script), Word(ref script), fd: fd == 0 ? -1 : _kinds[(fd - 1) % _kinds.Length]);
                bus.Turn();
                break;
            case Message:
                var connection = script.Byte();
                var bytes = script.Block(script.Byte());
                bus.Send(WireKind.PostMessage, connection, payload: bytes[..Math.Min(bytes.Length, 240)]);
                bus.Turn();
                break;
            case RawBytes:
                var with = script.Byte();
                var packet = script.Block(script.Byte());
                if (packet.Length > 0) UnixSocket.SendWithFds(bus.Socket.Raw, packet, with == 0 ? [] : [_kinds[with % _kinds.Length], .. with > 200 ? new[] { _kinds[0] } : []]);
                bus.Turn();
                break;
            case Turn: bus.Turn(); break;
            case Write: _memory.Write(script.Double(), script.Block(script.Byte())); break;
            case Reconnect:
                bus.Dispose();
                bus = new BusGuest(_rig, _memory);
                break;
            case Truncate:
                VirtualMemory.Resize(_second.Raw, script.Byte() * 4096L % SecondSize);
                _truncated = true;
                break;
            case Kick:
                _events[script.Byte() & 1].Signal();
                bus.Turn();
                break;
        }
    }

    /// <summary>A number by its kind, so that the ones that mean something are met.</summary>
    private static ulong Word(ref ScriptReader script) => script.Byte() switch
    {
        0 => 0,
        1 => BusMemory.GuestBase,
        2 => SecondSize,
        3 => 1,
        4 => 2,
        5 => ulong.MaxValue,
        6 => BusMemory.Regions[0].Length,
        7 => 0x1_0001,
        8 => script.Word() * 4096ul,
        9 => SecondBase,
        10 => script.Double(),
        11 => BusMemory.GuestBase + script.Word(),
        12 => BusMemory.Regions[1].Address,
        13 => BusMemory.Regions[1].Length,
        14 => BusMemory.Regions[1].Offset,
        _ => script.Byte(),
    };

    private static SeedScript Greet() => new SeedScript().Wire(1, 0, 3).Wire(3, 1, 1, 6, 0).Wire(3, 1, 12, 13, 14);

    private static SeedScript Offered() => Greet().Contact(0x50003).Say(3);

    private static SeedScript Opened()
    {
        var frames = Enumerable.Range(0, 8).SelectMany(i => new[] { (uint)BusMemory.Frame(i), 0u });
        return Offered().Say([8, 1, 5, 0x1_0048, 8 * 4096, 0, .. frames]).Wire(8, 3, 7).Wire(9, 4, 3).Say([5, 1, 1, 5, 0, 4, .. new uint[30]]);
    }

    private sealed class SeedScript
    {
        private readonly ScriptWriter _writer = new();

        public SeedScript Wire(int kind, int fd = 0, int a = 0, int b = 0, int c = 0)
        {
            _writer.Byte(Packet).Byte(kind).Byte(fd).Byte(a).Byte(b).Byte(c);
            return this;
        }

        /// <summary>A VMBus message: its type, then its words.</summary>
        public SeedScript Say(params uint[] words)
        {
            _writer.Byte(Message).Byte(1).Byte(4 + (4 * words.Length)).Double(words[0]).Double(0);
            foreach (var word in words[1..]) _writer.Double(word);
            return this;
        }

        public SeedScript Contact(uint version) => Say(14, version, 0, 2, 0, 0, 0, (uint)BusMemory.GuestBase + (BusMemory.MonitorPage * 4096), 0);

        public SeedScript Step(byte op) => Byte(op);

        public SeedScript Byte(int value)
        {
            _writer.Byte(value);
            return this;
        }

        public SeedScript Block(byte[] bytes)
        {
            _writer.Block(bytes);
            return this;
        }

        public byte[] ToArray() => _writer.ToArray();
    }
}
