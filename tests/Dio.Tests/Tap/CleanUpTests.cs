using NicHost.Dio.Shape;
using NicHost.Dio.Tap;
using NicHost.Dio.Tests.Rig;

namespace NicHost.Dio.Tests.Tap;

/// <summary>What was made is undone, in order, also after a crash, and nothing else is.</summary>
public sealed class CleanUpTests
{
    private const string Make = """{"kind":"dio","switch":{"name":"br0","create":true,"addresses":["192.0.2.1/24","2001:db8::1/64"]},"nic":{"name":"web0","create":true}}""";
    private const string Plug = """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0"},"port":{"create":true}}""";

    [NamespaceFact]
    public void What_was_made_is_there_and_gone_afterwards() => NetWorld.Run("", () =>
    {
        var before = NetWorld.Shell("ip -o link");
        using (var bench = Bench.Started(Make))
        {
            Assert.Contains("master br0", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
            var addresses = NetWorld.Shell("ip address show br0");
            Assert.Contains("192.0.2.1/24", addresses, StringComparison.Ordinal);
            Assert.Contains("2001:db8::1/64", addresses, StringComparison.Ordinal);
            Assert.Single(OwnState.Records);
        }
        Assert.Equal(before, NetWorld.Shell("ip -o link"));
        Assert.Empty(OwnState.Records);
    });

    [NamespaceFact]
    public void Bridge_goes_with_its_last_port_whoever_made_it() => NetWorld.Run("", () =>
    {
        var web = Bench.Started(Make);
        using (var db = Bench.Started(Make.Replace("web0", "db0", StringComparison.Ordinal)))
        {
            web.Dispose();
            NetWorld.Shell("ip link show br0");
            Assert.True(db.Endpoint.Link.IsUp);
        }
        Assert.DoesNotContain("br0", NetWorld.Shell("ip -o link"), StringComparison.Ordinal);
    });

    [NamespaceFact]
    public void What_was_there_stays_and_only_the_port_is_undone() => NetWorld.Run("ip link add br0 type bridge; ip link set br0 up; ip tuntap add web0 mode tap; ip link set web0 up", () =>
    {
        using (var bench = Bench.Started(Plug)) Assert.Contains("master br0", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        Assert.DoesNotContain("master", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        NetWorld.Shell("ip link show br0");
        Assert.Empty(OwnState.Records);
    });

    [NamespaceFact]
    public void Leftovers_of_a_killed_run_are_undone_by_the_next_start_and_namesakes_are_not() => NetWorld.Run("""
        ip link add br7 address 02:00:00:00:00:07 type bridge
        ip link add br8 address 02:00:00:00:00:99 type bridge
        ip link add br9 address 02:00:00:00:00:09 type bridge; ip link add p0 type veth peer name p1; ip link set p0 master br9
        ip tuntap add old0 mode tap; ip link set old0 master br8
        """, () =>
    {
        Abandon(StatePath.Namespace,
            new MadeThing(MadeKind.Bridge, "br7", null, "020000000007"),
            new MadeThing(MadeKind.Bridge, "br8", null, "020000000008"),
            new MadeThing(MadeKind.Bridge, "br9", null, "020000000009"),
            new MadeThing(MadeKind.Port, "old0", "br8", ""));
        using (Bench.Started(Make))
        {
            var links = NetWorld.Shell("ip -o link");
            Assert.DoesNotContain("br7", links, StringComparison.Ordinal);
            // Another address: somebody else's bridge of the same name.
            Assert.Contains("br8", links, StringComparison.Ordinal);
            // Ports of others: it is in use.
            Assert.Contains("br9", links, StringComparison.Ordinal);
            Assert.DoesNotContain("master br8", links, StringComparison.Ordinal);
            Assert.Single(OwnState.Records);
        }
    });

    [NamespaceFact]
    public void Record_of_another_namespace_or_of_a_live_run_is_left_alone() => NetWorld.Run("ip link add br7 address 02:00:00:00:00:07 type bridge", () =>
    {
        var elsewhere = Abandon("net:[1]", new MadeThing(MadeKind.Bridge, "br7", null, "020000000007"));
        var live = new MadeThings(new MadeBy("vm/live", StatePath.Namespace), new RecordFolder(StatePath.Runs), _ => null);
        live.Add(new MadeThing(MadeKind.Bridge, "br7", null, "020000000007"));
        using (Bench.Started(Make)) NetWorld.Shell("ip link show br7");
        live.Undo();
        Assert.Equal([elsewhere], OwnState.Records);
        File.Delete(elsewhere);
    });

    [Fact]
    public void Record_that_ends_in_the_middle_of_a_line_counts_up_to_there()
    {
        var folder = new RecordFolder(Path.Combine(OwnState.Folder, "cut"));
        using (var record = folder.Create(new MadeBy("vm/nic", "net:[2]"))) record.Append(new MadeThing(MadeKind.Bridge, "br1", null, "m"));
        var file = Directory.GetFiles(folder.Path).Single();
        File.AppendAllText(file, """{"kind":"Bridge","name":"br2","of":nu""");
        File.WriteAllText(file + ".made", "no record at all");
        var undone = new List<string>();
        MadeThings.UndoLeftovers(folder, "net:[2]", thing => { undone.Add(thing.Name); return null; });
        Assert.Equal(["br1"], undone);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void What_cannot_be_undone_is_told_and_left_to_a_later_run()
    {
        var folder = new RecordFolder(Path.Combine(OwnState.Folder, "stuck"));
        var things = new MadeThings(new MadeBy("vm/nic", "net:[3]"), folder, thing => thing.Name == "a" ? throw new IOException("busy") : null);
        things.Add(new MadeThing(MadeKind.Bridge, "a", null, ""));
        things.Add(new MadeThing(MadeKind.Port, "b", "a", ""));
        Assert.Equal(["bridge a stays behind: busy"], things.Undo());
        var order = new List<string>();
        MadeThings.UndoLeftovers(folder, "net:[3]", thing => { order.Add(thing.Name); return null; });
        Assert.Equal(["b", "a"], order);
    }

    private static string Abandon(string inNamespace, params MadeThing[] things)
    {
        using var record = new RecordFolder(StatePath.Runs).Create(new MadeBy("vm/dead", inNamespace));
        foreach (var thing in things) record.Append(thing);
        return OwnState.Records.Single();
    }
}
