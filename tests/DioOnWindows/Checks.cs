using System.Diagnostics;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.DioOnWindows;

/// <summary>What the endpoint does with Windows' own calls. The switch behind them is a stand-in, the reads, writes, events and threads are not.</summary>
internal static class Checks
{
    private const string Lab = """{"kind":"dio","switch":{"name":"lab"}}""";
    private const string DefaultSwitch = "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444";
    private const string TheirPort = "aaaaaaaa-0000-0000-0000-000000000001";
    private const string OnTheirPort = $$"""{"kind":"dio","port":{"id":"{{TheirPort}}"} }""";

    public static IReadOnlyList<(string Name, Func<Task<string>> Check)> All { get; } =
    [
        ("frames of every length pass both ways", EveryLength),
        ("chains are taken apart", Chains),
        ("tags are kept", Tags),
        ("super-frames leave as whole frames", SuperFrames),
        ("links that lie are counted", Lies),
        ("a switch is found by its name", ByName),
        ("a switch that is not there is named", NotThere),
        ("a port of the management stack is used and left", Port),
        ("a switch that goes takes the link down, and it comes back", Loss),
        ("an end with operations in flight leaves no handle", Handles),
    ];

    private static async Task<string> EveryLength()
    {
        await using var a = await Guest.StartAsync(1);
        await using var b = await Guest.StartAsync(2);
        for (var length = 14; length <= 1514; length += 50)
        {
            await a.SendAsync(TestFrames.Plain(length, length));
            AssertSame(Padded(TestFrames.Plain(length, length)), (await b.ReceiveAsync(1)).Single().Bytes);
            await b.SendAsync(TestFrames.Plain(length, length + 1));
            AssertSame(Padded(TestFrames.Plain(length, length + 1)), (await a.ReceiveAsync(1)).Single().Bytes);
        }
        Assert(StandIn.StandInBadFrames() == 0, "vmswitch got frames that it does not take");
        return "";
    }

    private static async Task<string> Chains()
    {
        const int Frames = 20_000;
        await using var a = await Guest.StartAsync(1);
        await using var b = await Guest.StartAsync(2);
        var begin = Stopwatch.GetTimestamp();
        var sending = a.SendAsync(Enumerable.Range(0, Frames).Select(i => (TestFrames.Plain(1514, i), default(FrameOffload))));
        var got = 0;
        while (got < Frames)
        {
            foreach (var frame in await b.ReceiveAsync(1)) AssertSame(TestFrames.Plain(1514, got++), frame.Bytes);
        }
        await sending;
        Assert(StandIn.StandInLongestChain() > 1, "no chain had more than one frame");
        return $"{Frames} frames in order, up to {StandIn.StandInLongestChain()} in a chain, {Frames * 1514.0 * 8 / Stopwatch.GetElapsedTime(begin).TotalSeconds / 1e6:0} Mbit/s";
    }

    private static async Task<string> Tags()
    {
        await using var a = await Guest.StartAsync(1);
        await using var inLine = await Guest.StartAsync(2);
        await using var outOfLine = await Guest.StartAsync(3, accepts: OffloadSet.Vlan);
        var plain = TestFrames.Plain(200, 1);
        await a.SendAsync([(plain, new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 0x6007 })]);
        AssertSame([.. plain[..12], 0x81, 0x00, 0x60, 0x07, .. plain[12..]], (await inLine.ReceiveAsync(1)).Single().Bytes);
        var got = (await outOfLine.ReceiveAsync(1)).Single();
        AssertSame(plain, got.Bytes);
        Assert(got.Offload.VlanTci == 0x6007, "the tag out of line is another");
        return "";
    }

    private static async Task<string> SuperFrames()
    {
        await using var a = await Guest.StartAsync(1);
        await using var b = await Guest.StartAsync(2);
        foreach (var v4 in new[] { true, false })
        {
            var (frame, offload) = TestFrames.TcpSuperFrame(v4, 60_000, 1400);
            await a.SendAsync([(frame, offload)]);
            var whole = await b.ReceiveAsync(43);
            Assert(whole.All(wire => TestFrames.HasGoodTransportChecksum(wire.Bytes)), "a checksum is wrong");
            AssertSame(frame[(v4 ? 54 : 74)..], [.. whole.SelectMany(wire => wire.Bytes[(v4 ? 54 : 74)..])]);
        }
        return "";
    }

    private static async Task<string> Lies()
    {
        await using var a = await Guest.StartAsync(1);
        foreach (var (next, length) in new (uint, uint)[] { (0, 5000), (4, 60), (uint.MaxValue, 60), (0, uint.MaxValue) })
        {
            byte[] link = [.. BitConverter.GetBytes(length), .. BitConverter.GetBytes(next), .. TestFrames.Plain(60, 1)];
            StandIn.StandInInject(link, link.Length);
        }
        byte[] good = [60, 0, 0, 0, 0, 0, 0, 0, .. TestFrames.Plain(60, 2)];
        StandIn.StandInInject(good, good.Length);
        AssertSame(TestFrames.Plain(60, 2), (await a.ReceiveAsync(1)).Single().Bytes);
        Assert(a.Counters.RxDropped(DropReason.Malformed) == 4, $"{a.Counters.RxDropped(DropReason.Malformed)} counted");
        return "";
    }

    private static async Task<string> ByName()
    {
        await using var a = await Guest.StartAsync(1, Lab);
        await using var b = await Guest.StartAsync(2, Lab);
        await using var elsewhere = await Guest.StartAsync(3);
        await a.SendAsync(TestFrames.Plain(100, 1));
        await b.ReceiveAsync(1);
        Assert(await elsewhere.OnLoopAsync(device => device.Received.Count) == 0, "the frame reached another switch");
        return "";
    }

    private static async Task<string> NotThere() => await RefusalAsync("""{"kind":"dio","switch":{"name":"nowhere"}}""",
        "There is no switch \"nowhere\". This host has \"Default Switch\", \"lab\".");

    private static async Task<string> Port()
    {
        await RefusalAsync(OnTheirPort, $"There is no port {TheirPort} of switch \"Default Switch\".");
        Assert(StandIn.VmsIfPortCreateWithHandle(out var port, DefaultSwitch, TheirPort, null, 4, 0, 0, 0x1173) == 0, "no port");
        using (port)
        {
            for (var round = 0; round < 3; round++)
            {
                await using var a = await Guest.StartAsync(1, OnTheirPort);
                await using var b = await Guest.StartAsync(2);
                await RefusalAsync(OnTheirPort, $"port {TheirPort} of switch \"Default Switch\" is taken by another NIC.");
                await a.SendAsync(TestFrames.Plain(100, 1));
                await b.ReceiveAsync(1);
            }
        }
        return "";
    }

    private static async Task<string> Loss()
    {
        await using var a = await Guest.StartAsync(1);
        await using var b = await Guest.StartAsync(2);
        StandIn.StandInSetSwitch(false);
        try { await a.UntilAsync(() => !a.IsUp && !b.IsUp, "the links are down"); }
        finally { StandIn.StandInSetSwitch(true); }
        var reason = a.Troubles[0];
        await a.UntilAsync(() => a.IsUp && b.IsUp && StandIn.StandInConnected() == 2, "the links are up");
        await a.SendAsync(TestFrames.Plain(100, 1));
        AssertSame(TestFrames.Plain(100, 1), (await b.ReceiveAsync(1)).Single().Bytes);
        return reason;
    }

    private static async Task<string> Handles()
    {
        await RoundAsync();
        var before = Count();
        for (var i = 0; i < 20; i++) await RoundAsync();
        var after = Count();
        Assert(after < before + 20, $"{before} handles before, {after} after");
        Assert(StandIn.StandInConnected() == 0, "a NIC is still in the switch");
        return $"{before} before, {after} after 20 rounds";

        static async Task RoundAsync()
        {
            await using var a = await Guest.StartAsync(1);
            await using var b = await Guest.StartAsync(2);
            await a.SendAsync(TestFrames.Plain(100, 1), TestFrames.Plain(100, 2));
        }

        static int Count()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var self = Process.GetCurrentProcess();
            return self.HandleCount;
        }
    }

    private static async Task<string> RefusalAsync(string options, string expected)
    {
        try { await using var guest = await Guest.StartAsync(9, options); }
        catch (IOException e)
        {
            Assert(e.Message.Contains(expected, StringComparison.Ordinal), e.Message);
            return "";
        }
        throw new InvalidOperationException("It started.");
    }

    private static byte[] Padded(byte[] frame) => [.. frame, .. new byte[Math.Max(0, 60 - frame.Length)]];

    private static void AssertSame(byte[] expected, byte[] actual) =>
        Assert(expected.AsSpan().SequenceEqual(actual), $"{actual.Length} bytes came instead of {expected.Length}, or others");

    private static void Assert(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException(what);
    }
}
