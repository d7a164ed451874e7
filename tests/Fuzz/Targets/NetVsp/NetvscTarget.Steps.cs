using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <content>What inputs can do.</content>
internal sealed unsafe partial class NetvscTarget
{
    private const byte Packet = 0;
    private const byte Bytes = 1;
    private const byte Index = 2;
    private const byte Frame = 3;
    private const byte DirectFrame = 4;
    private const byte Nvsp = 5;
    private const byte Control = 6;
    private const byte Oid = 7;
    private const byte Drain = 8;
    private const byte Complete = 9;
    private const byte Close = 10;
    private const byte Open = 11;
    private const byte TearDown = 12;
    private const byte Share = 13;
    private const byte Kick = 14;
    private const byte Rewrite = 15;
    private const byte Link = 16;
    private const byte Contact = 17;
    private const byte Release = 18;
    private const byte Messages = 19;

    private static readonly ushort[] s_packetTypes = [6, 9, 11, 7, 8, 0];
    private static readonly uint[] s_nvspTypes = [1, 100, 101, 103, 104, 106, 107, 108, 125, 128, 129, 131, 133, 134, 0, 999];
    private static readonly uint[] s_oids =
    [
        0x0001_010E, 0x0001_0204, 0xFC01_020C, 0x0101_0103, 0x0001_021B, 0x0101_010A, 0x0001_010F, 0x0001_0118,
        0x0001_0101, 0x0001_0107, 0x0001_0114, 0x0001_0203, 0x0001_0207, 0x0002_0106, 0xFC01_020B, 0xFC01_020D, 0x0101_0101, 0x0101_0102, 0x0002_0101, 0xdead_beef,
    ];

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        [Drain], [Kick, 0], [Kick, 1], [Frame, 0, 1, 0], [Frame, 0, 4, 3], [Frame, 1, 2, 1], [DirectFrame, 0, 4, 3, 1], [DirectFrame, 0, 1, 4, 3], [Close, 0], [Close, 1], [Open, 0], [Open, 1],
        [TearDown, 0], [TearDown, 2], [TearDown, 3], [Share, 0], [Share, 1], [Link, 0], [Link, 1], [Contact], [Release], [Oid, 1, 0, 4, 0x20, 0, 0, 0], [Oid, 0, 8], [Oid, 0, 15],
        [Nvsp, 3], [Nvsp, 5], [Nvsp, 12, 1, 0, 0, 0, 1, 0, 0, 0], [Index, 0, 0, 0xff, 0x2f], [Index, 0, 2, 8, 0], [Control, 3, 0, 4], [0xff, 0xff, 0xff, 0xff],
    ];

    private void Step(ref ScriptReader script, BusGuest bus, ScriptedCard card)
    {
        switch (script.Byte() % 20)
        {
            case Packet:
                var (channel, type, how) = (script.Byte() & 1, script.Byte(), script.Byte());
                var header = script.Block(script.Byte());
                card.GivesBackUnread |= s_packetTypes[type % s_packetTypes.Length] == 11;
                card.Write(channel, s_packetTypes[type % s_packetTypes.Length], (how & 1) != 0, header[..(header.Length & ~7)], script.Block(script.Byte()), (how & 2) != 0 ? (ulong)how >> 2 : null);
                break;
            case Bytes:
                _memory.Write(script.Double(), script.Block(script.Byte()));
                card.IsDisturbed = true;
                break;
            case Index: SetIndex(card, script.Byte() & 1, script.Byte(), script.Word()); break;
            case Frame: CardFrames.InSection(card, script.Byte() & 1, script.Byte(), script.Byte()); break;
            case DirectFrame: CardFrames.InPages(card, _memory, script.Byte() & 1, script.Byte(), script.Byte(), script.Byte()); break;
            case Nvsp:
                card.Nvsp(s_nvspTypes[script.Byte() % s_nvspTypes.Length], script.Double(), script.Double(), script.Double(), script.Double());
                break;
            case Control: card.Control(script.Byte(), script.Block(script.Byte()), (sbyte)script.Byte()); break;
            case Oid: AskOrSet(ref script, card); break;
            case Drain: card.Drain(); break;
            case Complete:
                card.GivesBackUnread = true;
                card.Write(script.Byte() & 1, 11, false, [], VmbusClient.Words(108, 1), script.Word());
                break;
            case Close:
                card.IsDisturbed = true;
                card.Close(script.Byte() & 1);
                break;
            case Open:
                card.IsDisturbed = true;
                card.Open(script.Byte() & 1);
                break;
            case TearDown: TearDownBuffer(bus, card, script.Byte() & 3); break;
            case Share:
                if ((script.Byte() & 1) == 0) card.Share(BusGuest.ReceiveHandle, BusMemory.ReceiveFirst, BusMemory.ReceivePages, 101);
                else card.Share(BusGuest.SendHandle, BusMemory.SendFirst, BusMemory.SendPages, 104);
                break;
            case Kick: card.Kick(script.Byte() & 1); break;
            case Rewrite:
                card.IsDisturbed = true;
                _rewrites.Enqueue((script.Double(), script.Block(script.Byte()).ToArray()));
                break;
            case Link:
                _rig.SetLink((script.Byte() & 1) != 0);
                bus.Turn();
                break;
            case Contact:
                card.IsDisturbed = true;
                bus.Contact(0x0005_0003);
                bus.Turn();
                break;
            case Release:
                foreach (var relId in bus.Rescinded) bus.Post(MessageKind.RelIdReleased, relId);
                bus.Rescinded.Clear();
                bus.Turn();
                break;
            case Messages:
                card.IsDisturbed = true;
                bus.PostBytes((MessageKind)script.Byte(), script.Block(script.Byte()));
                bus.Turn();
                break;
        }
    }

    private static void SetIndex(ScriptedCard card, int channel, byte which, ushort value)
    {
        card.IsDisturbed = true;
        var ring = (which & 1) == 0 ? card.Out(channel) : card.In(channel);
        if (ring is null) return;
        switch (which >> 1 & 3)
        {
            case 0: ring.WriteIndex = value; break;
            case 1: ring.ReadIndex = value; break;
            case 2: ring.InterruptMask = value; break;
            default: ring.PendingSendSize = value; break;
        }
    }

    private static void AskOrSet(ref ScriptReader script, ScriptedCard card)
    {
        var (set, oid) = (script.Byte() & 1, s_oids[script.Byte() % s_oids.Length]);
        var value = script.Block(script.Byte());
        card.Control(set != 0 ? 5u : 4u, [.. VmbusClient.Words(9, oid, (uint)value.Length, 20, 0), .. value]);
    }

    private static void TearDownBuffer(BusGuest bus, ScriptedCard card, int which)
    {
        if (which < 2) card.IsDisturbed = true;
        card.GivesBackUnread |= which == 2;
        if (!bus.Channels.TryGetValue(0, out var offer)) return;
        var handle = which switch { 0 => BusGuest.RingHandle, 1 => BusGuest.RingHandle + 1, 2 => BusGuest.ReceiveHandle, _ => BusGuest.SendHandle };
        bus.Post(MessageKind.GpadlTeardown, offer.RelId, handle);
        bus.Turn();
    }
}
