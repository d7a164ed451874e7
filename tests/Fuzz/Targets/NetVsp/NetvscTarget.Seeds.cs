namespace NicHost.Fuzz.Targets.NetVsp;

/// <content>Valid courses of things.</content>
internal sealed unsafe partial class NetvscTarget
{
    private const int Up = 8;
    private const int UpWithSubchannel = 9;

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        for (var version = 0; version < 6; version++) yield return ($"frames-{version}", Frames(Script(version << 3, Up)).ToArray());
        for (var stage = 0; stage < Up; stage++) yield return ($"stage-{stage}", Script(0, stage).Byte(Frame).Byte(0).Byte(1).Byte(0).Byte(Drain).Byte(Close).Byte(0).ToArray());
        yield return ("in-band", Frames(Script(1, Up)).ToArray());
        yield return ("monitored", Frames(Script(2, Up)).ToArray());
        yield return ("event-flags", Frames(Script(4, Up)).ToArray());
        yield return ("subchannel", Frames(Script(0, UpWithSubchannel)).Byte(Oid).Byte(1).Byte(1).Byte(96).Block(Scaling())
            .Byte(Frame).Byte(1).Byte(1).Byte(0).Byte(Frame).Byte(0).Byte(9).Byte(0).Byte(Drain).Byte(Close).Byte(0).Byte(Release).Byte(Open).Byte(0).ToArray());
        yield return ("large", Script(0, Up).Byte(DirectFrame).Byte(0).Byte(4).Byte(3).Byte(54).Byte(Drain).Byte(DirectFrame).Byte(0).Byte(0xfd).Byte(3).Byte(54).Byte(Drain).ToArray());
        yield return ("tagged", Script(0, Up).Byte(Frame).Byte(0).Byte(1).Byte(5).Byte(Frame).Byte(0).Byte(2).Byte(0x1d).Byte(Drain).ToArray());
        yield return ("buffers", Frames(Script(0, Up)).Byte(TearDown).Byte(3).Byte(Frame).Byte(0).Byte(1).Byte(0).Byte(Share).Byte(1).Byte(TearDown).Byte(2).Byte(Share).Byte(0)
            .Byte(Frame).Byte(0).Byte(1).Byte(0).Byte(Drain).ToArray());
        yield return ("revoked", Frames(Script(0, Up)).Byte(Nvsp).Byte(3).Double(0xcafe).Double(0).Double(0).Double(0).Byte(Nvsp).Byte(5).Double(0).Double(0).Double(0).Double(0).Byte(Drain).ToArray());
        yield return ("kept", Script(0, Up).Byte(Frame).Byte(0).Byte(1).Byte(0).Byte(Frame).Byte(0).Byte(2).Byte(0).Byte(Complete).Byte(0).Word(16).Byte(Close).Byte(0).ToArray());
        yield return ("link", Frames(Script(0, Up)).Byte(Link).Byte(0).Byte(Frame).Byte(0).Byte(1).Byte(0).Byte(Link).Byte(1).Byte(Drain).ToArray());
        yield return ("new-kernel", Frames(Script(0, UpWithSubchannel)).Byte(Contact).Byte(Open).Byte(0).Byte(Nvsp).Byte(0).Double(0x60001).Double(0x60001).Double(0).Double(0).ToArray());
        yield return ("rewritten", Script(0, Up).Byte(Rewrite).Double(BusMemory.FramesFirst * 4096).Byte(16).Block(new byte[16]).Byte(DirectFrame).Byte(0).Byte(4).Byte(3).Byte(54)
            .Byte(Rewrite).Double(4).Byte(4).Block([0xff, 0xff, 0, 0]).Byte(Frame).Byte(0).Byte(1).Byte(1).ToArray());
        yield return ("odd", Script(0, Up).Byte(Index).Byte(0).Byte(0).Word(0x2f00).Byte(Kick).Byte(0).Byte(Close).Byte(0).Byte(Open).Byte(0).ToArray());
        var oids = Script(0, Up);
        for (var oid = 0; oid < s_oids.Length; oid++) oids.Byte(Oid).Byte(0).Byte(oid).Byte(0).Byte(Drain);
        yield return ("oids", oids.ToArray());
    }

    private static ScriptWriter Script(int how, int stages) => new ScriptWriter().Byte(how).Byte(stages);

    private static ScriptWriter Frames(ScriptWriter script) => script.Byte(Frame).Byte(0).Byte(1).Byte(1).Byte(Frame).Byte(0).Byte(10).Byte(0).Byte(DirectFrame).Byte(0).Byte(0x99).Byte(1).Byte(20)
        .Byte(Drain).Byte(Frame).Byte(0).Byte(3).Byte(1).Byte(Packet).Byte(0).Byte(0).Byte(1).Byte(0).Byte(40).Block([107, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, .. new byte[28]]).Byte(Drain);

    /// <summary>RSS parameters: all types, a table of four entries, a key of 40 bytes.</summary>
    private static byte[] Scaling() =>
        [0x89, 2, 96, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 16, 0, 0, 0, 40, 0, 0, 0, 40, 0, 0, 0, 56, 0, 0, 0, .. new byte[12], 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, .. new byte[40]];
}
