using NicHost.Fuzz.Engine;
using NicHost.Linux;
using NicHost.Virtio;

namespace NicHost.Fuzz.Targets;

/// <summary>
/// A whole connection: messages right, wrong and cut, with descriptors of every kind; kicks, guest memory that changes, memory that is taken
/// away, front-ends that vanish and return.
/// </summary>
internal sealed unsafe class VhostTarget : FuzzTarget
{
    private const int Message = 0;
    private const int RawBytes = 1;
    private const int Turn = 2;
    private const int Kick = 3;
    private const int Write = 4;
    private const int Reconnect = 5;
    private const int Truncate = 6;

    private readonly DeviceRig _rig = new(new VirtioFactory(), "\"inBandNotifications\":true");
    private readonly Fd _memory = VirtualMemory.CreateMemoryFile("fuzz", RigFrontend.MemorySize);
    private readonly Fd _second = VirtualMemory.CreateMemoryFile("fuzz2", RigFrontend.SecondSize);
    private readonly EventFd[] _events = [new(), new(), new(), new()];
    private readonly FileStream _regular = new(Path.GetTempFileName(), new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose });
    private readonly List<int> _kinds = [];
    private readonly List<IDisposable> _held = [];
    private readonly byte* _map;
    private int _baseline;
    private int _runs;
    private bool _truncated;

    public VhostTarget()
    {
        var (one, other) = UnixSocket.Pair();
        var (dead, gone) = UnixSocket.Pair();
        gone.Dispose();
        var folder = (int)Io.Open(Path.GetTempPath(), FileAccess.Read).Count;
        _held.AddRange([one, other, dead, new Fd(folder)]);
        _map = (byte*)VirtualMemory.MapSharedFile(_memory.Raw, 0, RigFrontend.MemorySize, Protection.ReadWrite).OrThrow("map guest memory");
        _kinds.AddRange([_memory.Raw, _second.Raw, _events[0].Raw, _events[1].Raw, _events[2].Raw, _events[3].Raw,
            (int)_regular.SafeFileHandle.DangerousGetHandle(), one.Raw, dead.Raw, folder]);
    }

    public override string Name => "vhost";

    public override int MaxLength => 4096;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        .. Enumerable.Range(0, 42).Select(r => new byte[] { Message, (byte)r, 1, 0, 0, 8 }),
        RigFrontend.Words(RigFrontend.GuestBase), RigFrontend.Words(RigFrontend.UserBase), RigFrontend.Words(ulong.MaxValue), [Turn], [Kick, 0], [Kick, 1], [Reconnect],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (_truncated)
        {
            VirtualMemory.Resize(_second.Raw, RigFrontend.SecondSize);
            _truncated = false;
        }
        var script = new ScriptReader(input);
        var front = new RigFrontend(_rig);
        while (!script.IsAtEnd) Step(ref script, ref front);
        front.Turn();
        front.Dispose();
        _rig.Turn();
        Require(_rig.Peer is null, "The front-end is gone, but the device has not noticed.");
        Require(_rig.GuestFaults.Count <= 400, "More faults than messages.");
        _rig.GuestFaults.Clear();
        _rig.Inspect();
        // The first runs make what is made once: libraries, the engine's own files.
        if (++_runs % 64 != 0) return;
        var open = DeviceRig.Descriptors();
        if (_baseline == 0) _baseline = open;
        Require(open <= _baseline + 4, $"Descriptors leak: {open} are open, {_baseline} were: {(open > _baseline + 4 ? DeviceRig.DescribeDescriptors() : "")}.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("negotiate", Start(0x1_7000_83ab).ToArray());
        yield return ("negotiate-ack", Start(0x1_7000_83ab, needReply: true).ToArray());
        yield return ("start", Rings(Start(0x1_5000_8000)).ToArray());
        yield return ("start-and-stop", Rings(Start(0x1_5000_8000)).Message(11, RigFrontend.State(0, 0)).Message(11, RigFrontend.State(1, 0)).ToArray());
        yield return ("regions", Start(0x1_4000_0000).Message(37, RigFrontend.Words(0, RigFrontend.GuestBase + 0x10_0000, 0x10000, 0x7100_0000_0000, 0), 1)
            .Message(38, RigFrontend.Words(0, RigFrontend.GuestBase + 0x10_0000, 0x10000, 0x7100_0000_0000, 0)).ToArray());
        yield return ("config", Start(0x1_4000_0000).Message(24, [0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, .. new byte[24]]).Message(40, []).Message(36, []).ToArray());
        yield return ("reset", Rings(Start(0x1_4000_0000)).Message(34, []).Message(39, RigFrontend.Words(0)).Message(4, []).ToArray());
        yield return ("taken-away", Rings(Start(0x1_4000_0000), second: true).Step(Truncate).Byte(0).Step(Kick).Byte(1).Step(Turn).ToArray());
        yield return ("cut", Start(0).Step(RawBytes).Byte(0).Byte(9).Block([5, 0, 0, 0, 1, 0, 0, 0, 40]).Step(Reconnect).ToArray());
    }

    public override void Dispose()
    {
        _rig.Dispose();
        foreach (var one in _held.Concat(_events)) one.Dispose();
        VirtualMemory.Unmap((nint)_map, RigFrontend.MemorySize);
        _memory.Dispose();
        _second.Dispose();
        _regular.Dispose();
        base.Dispose();
    }

    private void Step(ref ScriptReader script, ref RigFrontend front)
    {
        switch (script.Byte())
        {
            case Message:
                var (request, flags, sizeError) = (script.Byte(), script.Byte(), (sbyte)script.Byte());
                var fds = Fds(script.Byte());
                var length = (int)script.Byte();
                front.Send(request, script.Block(length == 255 ? 264 : length), fds, flags, sizeError);
                front.Turn();
                break;
            case RawBytes:
                var some = Fds(script.Byte());
                front.Raw(script.Block(script.Byte()), some);
                break;
            case Turn: front.Turn(); break;
            case Kick: _events[script.Byte() & 3].Signal(); break;
            case Write:
                // Rings lie in the first pages.
                var at = script.Word();
                // SAFETY: a word and a byte are below MemorySize.
                script.Block(script.Byte()).CopyTo(new Span<byte>(_map + at, 256));
                break;
            case Reconnect:
                front.Dispose();
                front = new RigFrontend(_rig);
                break;
            case Truncate:
                VirtualMemory.Resize(_second.Raw, script.Byte() * 4096L % RigFrontend.SecondSize);
                _truncated = true;
                break;
        }
    }

    // Low four bits: which kind; high four: how many.
    private int[] Fds(byte what)
    {
        var count = what >> 4;
        return [.. Enumerable.Range(0, count).Select(i => _kinds[((what & 15) + i) % _kinds.Count])];
    }

    private static SeedScript Start(ulong features, bool needReply = false) => new SeedScript(needReply)
        .Message(1, []).Message(15, []).Message(16, RigFrontend.Words(0x1_e239)).Message(17, []).Message(3, []).Message(2, RigFrontend.Words(features));

    private static SeedScript Rings(SeedScript script, bool second = false)
    {
        var size = second ? (ulong)RigFrontend.SecondSize : RigFrontend.MemorySize;
        script.Message(5, RigFrontend.Words(1, RigFrontend.GuestBase, size, RigFrontend.UserBase, 0), second ? 1 : 0, 1);
        for (uint ring = 0; ring < 2; ring++)
        {
            var at = RigFrontend.UserBase + (ring * 0x4000);
            script.Message(8, RigFrontend.State(ring, 8)).Message(10, RigFrontend.State(ring, 0))
                .Message(9, RigFrontend.Words(ring, at, at + 0x1000, at + 0x2000, 0))
                .Message(12, RigFrontend.Words(ring), 2 + (int)ring, 1).Message(13, RigFrontend.Words(ring), 4 + (int)ring, 1).Message(18, RigFrontend.State(ring, 1));
        }
        return script.Step(Kick).Byte(1).Step(Turn);
    }

    private sealed class SeedScript(bool needReply)
    {
        private readonly ScriptWriter _writer = new();

        public SeedScript Message(int request, byte[] payload, int kind = 0, int fds = 0)
        {
            _writer.Byte(VhostTarget.Message).Byte(request).Byte(needReply ? 9 : 1).Byte(0).Byte((fds << 4) | kind).Byte(payload.Length).Block(payload);
            return this;
        }

        public SeedScript Step(int op) => Byte(op);

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
