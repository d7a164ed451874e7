using NicHost.Fuzz.Engine;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Rings;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>Both rings while the other side writes what it likes into them.</summary>
internal sealed unsafe class VmbusRingTarget : FuzzTarget
{
    private const byte Bytes = 0;
    private const byte Read = 1;
    private const byte Publish = 2;
    private const byte Mask = 3;
    private const byte Room = 4;
    private const byte Write = 5;
    private const byte Show = 6;
    private const byte Place = 7;

    private const int RingSize = 3 * BusMemory.PageSize;
    private const int OutgoingAt = 4 * BusMemory.PageSize;

    private readonly BusMemory _memory = new();
    private readonly GpaPages _incoming;
    private readonly GpaPages _outgoing;
    private readonly byte[] _packet = new byte[IncomingRing.MaxPacket];

    public VmbusRingTarget()
    {
        var map = VmbusMessageTarget.MapOf(_memory);
        // Pages in another order than they lie in memory.
        _incoming = GpaPages.TryMake(map, [BusMemory.Frame(0), BusMemory.Frame(2), BusMemory.Frame(1), BusMemory.Frame(3)], out _)!;
        _outgoing = GpaPages.TryMake(map, [BusMemory.Frame(4), BusMemory.Frame(5), BusMemory.Frame(7), BusMemory.Frame(6)], out _)!;
    }

    public override string Name => "vmbusring";

    public override IReadOnlyList<byte[]> Dictionary =>
        [[Read], [Publish], [Mask], [Room, 16, 0], [Write, 16, 0], [Show], [Place, 0, 0x30, 0], [Place, 1, 8, 0], [Place, 4, 0, 0x10], [6, 0, 2, 0, 6, 0, 1, 0], [9, 0, 5, 0, 9, 0, 1, 0], [0xf8, 0x2f, 0, 0]];

    public override void Run(ReadOnlySpan<byte> input)
    {
        _memory.Clear();
        var script = new ScriptReader(input);
        // Where both begin is the guest's, too.
        *(uint*)_memory.Page(0) = *(uint*)(_memory.Page(0) + 4) = script.Word();
        *(uint*)_memory.Page(4) = *(uint*)(_memory.Page(4) + 4) = script.Word();
        var (incoming, outgoing) = (new IncomingRing(_incoming), new OutgoingRing(_outgoing));
        while (!script.IsAtEnd) Step(ref script, incoming, outgoing);
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        byte[] packet = [6, 0, 2, 0, 7, 0, 1, 0, .. new byte[56]];
        yield return ("read", new ScriptWriter().Word(0).Word(0).Byte(Bytes).Double(4096).Byte(64).Block(packet).Byte(Place).Byte(0).Word(64).Byte(Mask).Byte(Read).Byte(Publish).ToArray());
        yield return ("read-round-the-end", new ScriptWriter().Word(RingSize - 32).Word(0).Byte(Bytes).Double(3 * 4096 + 4096 - 32).Byte(32).Block(packet.AsSpan(0, 32)).Byte(Place).Byte(0).Word(32)
            .Byte(Read).Byte(Publish).ToArray());
        yield return ("write", new ScriptWriter().Word(0).Word(RingSize - 64).Byte(Room).Word(100).Byte(Write).Word(100).Byte(Show).Byte(Place).Byte(5).Word(40).Byte(Room).Word(RingSize).ToArray());
        yield return ("lies", new ScriptWriter().Word(1).Word(RingSize).Byte(Read).Byte(Room).Word(8).Byte(Place).Byte(5).Word(99).Byte(Room).Word(RingSize).ToArray());
    }

    public override void Dispose()
    {
        _memory.Dispose();
        base.Dispose();
    }

    private void Step(ref ScriptReader script, IncomingRing incoming, OutgoingRing outgoing)
    {
        switch (script.Byte() & 7)
        {
            case Bytes: _memory.Write(script.Double() & 0x7fff, script.Block(script.Byte())); break;
            case Read: ReadOne(incoming); break;
            case Publish: incoming.Publish(); break;
            case Mask:
                incoming.Mask();
                incoming.Unmask(out _);
                break;
            case Room: outgoing.HasRoom(script.Word() % (2 * RingSize)); break;
            case Write: WriteOne(outgoing, script.Word() % 4000); break;
            case Show:
                outgoing.Publish();
                outgoing.DropWish();
                break;
            case Place:
                // Any of the four words of either control page.
                var which = script.Byte() & 7;
                *(uint*)(_memory.Page(which < 4 ? 0 : 4) + (4 * (which & 3))) = script.Word();
                break;
        }
        Require(incoming.ReadIndex < RingSize || incoming.Fault is not null, $"Read index {incoming.ReadIndex}.");
        Require(outgoing.WriteIndex < RingSize || outgoing.Fault is not null, $"Write index {outgoing.WriteIndex}.");
    }

    private void ReadOne(IncomingRing incoming)
    {
        var before = incoming.ReadIndex;
        var length = incoming.Read(_packet, out var descriptor);
        if (length == 0) return;
        Require(length >= PacketDescriptor.Size && length <= IncomingRing.MaxPacket && descriptor.Length8 * 8 == length, $"A packet of {length} bytes.");
        Require(descriptor.DataOffset8 * 8 >= PacketDescriptor.Size && descriptor.DataOffset8 * 8 <= length, $"A payload at {descriptor.DataOffset8 * 8} of {length}.");
        Require(incoming.ReadIndex == (before + (uint)length + PacketDescriptor.FooterSize) % RingSize, "The ring goes on somewhere else than behind the packet.");
    }

    private void WriteOne(OutgoingRing outgoing, int payload)
    {
        if (outgoing.Fault is not null || !outgoing.HasRoomNow(OutgoingRing.Needed(8, payload))) return;
        var before = outgoing.WriteIndex;
        outgoing.Write(PacketType.InBand, wantsCompletion: true, 1, _packet.AsSpan(0, 8), _packet.AsSpan(0, payload));
        Require(outgoing.WriteIndex == (before + (uint)OutgoingRing.Needed(8, payload)) % RingSize, "A packet took another length than was said.");
    }
}
