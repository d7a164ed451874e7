using NicHost.Fuzz.Engine;
using NicHost.Linux;
using NicHost.NetVsp;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>
/// A whole card: a driver that starts as far as the input says, and then does what the input says: frames of all forms, control messages right
/// and wrong, rings and buffers that are written over, also while the endpoint has them in its hands, channels and buffers that go and come. The endpoint gives every frame back.
/// </summary>
internal sealed unsafe partial class NetvscTarget : FuzzTarget
{
    private static readonly uint[] s_versions = [0x60001, 0x60000, 0x50000, 0x40000, 0x30002, 2, 0x60001, 0x70000];

    private readonly DeviceRig _rig = new(new NetVspFactory(), "\"allowUnsealedMemory\":true");
    private readonly BusMemory _memory = new();
    private readonly EventFd[] _kicks = [new(), new()];
    private readonly EventFd[] _calls = [new(), new()];
    private readonly Queue<(uint At, byte[] Bytes)> _rewrites = new();
    private int _runs;
    private int _baseline;

    public NetvscTarget() => _rig.InUse = () =>
    {
        if (_rewrites.TryDequeue(out var next)) _memory.Write(next.At, next.Bytes);
    };

    public override string Name => "netvsc";

    public override int MaxLength => 4096;

    public override void Run(ReadOnlySpan<byte> input)
    {
        _memory.Clear();
        _rewrites.Clear();
        _rig.SetLink(up: true);
        var script = new ScriptReader(input);
        var how = script.Byte();
        var stages = script.Byte();
        using (var bus = new BusGuest(_rig, _memory))
        {
            var monitored = (how & 2) != 0;
            bus.Attach(0x0005_0003, monitored);
            var card = new ScriptedCard(bus, _kicks, _calls, inBand: (how & 1) != 0, monitored, flagged: (how & 4) != 0);
            card.Start(stages % 10, s_versions[how >> 3 & 7]);
            for (var steps = 0; !script.IsAtEnd && steps < 300; steps++) Step(ref script, bus, card);
            Settle(bus, card);
        }
        _rig.Turn();
        Require(_rig.Peer is null, "The client is gone, but the bus has not noticed.");
        _rig.GuestFaults.Clear();
        _rig.Inspect();
        if (++_runs % 64 != 0) return;
        var open = DeviceRig.Descriptors();
        if (_baseline == 0) _baseline = open;
        Require(open <= _baseline + 4, $"Descriptors leak: {open} are open, {_baseline} were: {(open > _baseline + 4 ? DeviceRig.DescribeDescriptors() : "")}.");
    }

    public override void Dispose()
    {
        _rig.Dispose();
        foreach (var one in _kicks.Concat(_calls)) one.Dispose();
        _memory.Dispose();
        base.Dispose();
    }

    /// <summary>An honest driver that goes on reading finds each of its packets completed, whatever came of it.</summary>
    private void Settle(BusGuest bus, ScriptedCard card)
    {
        if (!card.IsDisturbed && _rig.GuestFaults.Count == 0)
        {
            // Frames that come back wait for a guest that wants frames.
            card.Drain();
            card.Control(5, VmbusClient.Words(3, 0x0001_010E, 4, 20, 0, 0x20));
        }
        for (var i = 0; i < 64; i++)
        {
            card.Kick(0);
            card.Kick(1);
            bus.Turn();
            if (card.Drain() == 0) break;
        }
        if (card.IsDisturbed || _rig.GuestFaults.Count > 0) return;
        Require(card.Unanswered == 0, $"{card.Unanswered} packets were not completed.");
    }
}
