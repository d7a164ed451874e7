using System.Buffers.Binary;
using NicHost.Hostile.Tests.Rig;
using NicHost.Linux;
using NicHost.Probe.Frontend;
using NicHost.Virtio.Tests.Conformance;

namespace NicHost.Hostile.Tests.VhostUser;

/// <summary>A hostile VMM against a NIC that runs: what it sends ends its own connection at most.</summary>
public sealed class FrontendTests
{
    public static TheoryData<uint> Requests => [.. Enumerable.Range(0, 45).Select(r => (uint)r)];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Message_malformed_in_every_way_is_refused_or_ends_the_connection(uint request)
    {
        await using var nics = await TwoNics.StartAsync();
        foreach (var size in new uint[] { 0, 1, 7, 9, 13, 39, 41, 300, 4097, 65536, 0x8000_0000, uint.MaxValue })
        {
            using var front = nics.Connect();
            front.Negotiate();
            Send(front, Header(request, 1 | 8, size), []);
            Send(front, new byte[Math.Min(size, 4096)], []);
            // Either it is one of the sizes that belong, or the connection ends; never silence about what was asked.
            Assert.True(Answers(front) || front.Channel.WaitForClose(), $"request {request} of {size} bytes is neither answered nor refused");
        }
        foreach (var flags in new uint[] { 0, 2, 3, 5, 13, 0xffff_fff2 })
        {
            using var front = nics.Connect();
            Send(front, Header(request, flags, 0), []);
            Assert.True(front.Channel.WaitForClose(), $"flags {flags:x} are taken");
        }
        nics.AssertServes();
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Descriptors_of_the_wrong_kind_or_number_leak_nothing(uint request)
    {
        await using var nics = await TwoNics.StartAsync();
        using var odd = new OddDescriptors();
        foreach (var fds in odd.Sets)
        {
            using var front = nics.Connect();
            front.Negotiate();
            var payload = request is 5 ? Table(1) : request is 37 or 38 ? Table(1)[..40] : new byte[8];
            Send(front, [.. Header(request, 1 | 8, (uint)payload.Length), .. payload], fds);
            // Nothing to hang on: the connection is of use, or it is over.
            Send(front, Header(1, 1, 0), []);
            Assert.True(Answers(front) || front.Channel.WaitForClose());
        }
        nics.AssertServes();
    }

    [Fact]
    public async Task Kick_descriptor_that_is_always_readable_does_not_hold_the_loop()
    {
        await using var nics = await TwoNics.StartAsync();
        using var odd = new OddDescriptors();
        foreach (var fd in odd.AlwaysReadable)
        {
            using var driver = nics.Attach();
            driver.Frontend.StopRing(1);
            try
            {
                driver.Frontend.SetRingFd(VhostRequest.SetVringKick, 1, fd);
                driver.Frontend.EnableRing(1, true);
            }
            catch (VhostException)
            {
                // Refused is as good.
            }
            nics.AssertBystander();
            Assert.True(await nics.Nic.InspectDeviceAsync().WaitAsync(TwoNics.Patience) is not null);
            var before = Turns(nics);
            await Task.Delay(100);
            Assert.InRange(Turns(nics) - before, 0, 2000);
        }
        nics.AssertServes();
    }

    [Fact]
    public async Task Memory_table_that_lies_is_refused_and_the_guest_can_go_on()
    {
        await using var nics = await TwoNics.StartAsync();
        using var driver = nics.Attach();
        using var file = VirtualMemory.CreateMemoryFile("lie", 1 << 20);
        foreach (var (address, size, user, offset) in new (ulong, ulong, ulong, ulong)[]
        {
            (0, 0, 0, 0), (0, ulong.MaxValue, 0, 0), (ulong.MaxValue - 4095, 8192, 0, 0), (0, 1 << 20, ulong.MaxValue - 4095, 0),
            (0, 2 << 20, 0, 0), (0, 1 << 20, 0, 4096), (0, 4096, 0, 1 << 20), (0, 4096, 0, ulong.MaxValue - 4095), (0, 1ul << 46, 0, 0), (0, 4096, 0, 1ul << 63),
        })
        {
            var table = new byte[40];
            BinaryPrimitives.WriteUInt32LittleEndian(table, 1);
            foreach (var (word, i) in new[] { address, size, user, offset }.Select((w, i) => (w, i))) BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(8 + (i * 8)), word);
            Assert.Throws<VhostException>(() => driver.Frontend.Request(VhostRequest.SetMemTable, table, [file.Raw]));
            TwoNics.AssertEcho(driver, 200);
        }
        Assert.Throws<VhostException>(() => driver.Frontend.Request(VhostRequest.SetMemTable, Table(2), [file.Raw, file.Raw]));
        TwoNics.AssertEcho(driver, 201);
    }

    [Fact]
    public async Task Memory_that_is_taken_away_under_a_running_ring_ends_this_guest_only()
    {
        await using var nics = await TwoNics.StartAsync();
        for (var round = 0; round < 3; round++)
        {
            using var victim = new ShrinkingGuest(nics.Connect());
            victim.StartRings();
            victim.Shrink();
            victim.Kick();
            nics.WaitForFault("took guest memory away");
            Assert.True(victim.Frontend.Channel.WaitForClose(), "the connection goes on without memory");
            nics.AssertBystander();
        }
        nics.AssertServes();
    }

    [Fact]
    public async Task Front_ends_that_stop_in_the_middle_of_a_message_hold_nothing()
    {
        await using var nics = await TwoNics.StartAsync();
        using (var stuck = nics.Connect())
        {
            Send(stuck, Header(5, 1, 264)[..7], []);
            // It has the NIC, as a VMM that thinks; but control and the other NIC are free, and the next one is turned away at once.
            nics.AssertBystander();
            using var second = nics.Connect();
            Assert.True(second.Channel.WaitForClose(), "the second front-end is left waiting");
            await nics.Nic.InspectDeviceAsync().WaitAsync(TwoNics.Patience);
        }
        nics.AssertServes();
    }

    [Fact]
    public async Task Thousands_of_connections_leave_nothing_behind()
    {
        await using var nics = await TwoNics.StartAsync();
        var made = 0;
        for (var until = Environment.TickCount64 + 8000; made < 3000 && Environment.TickCount64 < until;)
        {
            // The backlog fills when we are faster than the loop.
            if (!UnixSocket.TryConnect(nics.Socket, UnixSocketType.Stream, out var socket).Ok) continue;
            made++;
            if (made % 3 == 0) UnixSocket.SendWithFds(socket!.Raw, Header(1, 1, 0), []);
            socket!.Dispose();
            if (made % 500 == 0) nics.AssertBystander();
        }
        Assert.True(made > 500, $"only {made} connections in 8 s");
        nics.AssertServes();
    }

    [Fact]
    public async Task Front_end_that_asks_and_never_reads_is_given_up()
    {
        await using var nics = await TwoNics.StartAsync();
        using (var front = nics.Connect())
        {
            var ask = Header(1, 1, 0);
            for (var i = 0; i < 200_000; i++)
            {
                var sent = UnixSocket.SendWithFds(front.Channel.Raw, ask, []);
                if (sent.Failed) break;
            }
            nics.AssertBystander();
        }
        nics.AssertServes();
    }

    [Fact]
    public async Task Messages_in_every_order_are_survived()
    {
        await using var nics = await TwoNics.StartAsync(queues: 2);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            using var driver = new ProbeDriver(nics.Socket);
            try { driver.Attach(Contracts.Frames.OffloadSet.None); }
            catch (VhostException) { continue; }
            for (var i = 0; i < 20; i++)
            {
                try { Disturb(driver, random); }
                catch (VhostException) { break; }
            }
        }
        Assert.True(nics.Nic.GuestFaults.Count < 2000, $"seed {seed}");
        nics.AssertServes();
    }

    private static void Disturb(ProbeDriver driver, Random random)
    {
        var front = driver.Frontend;
        var ring = random.Next(5);
        switch (random.Next(10))
        {
            case 0: front.SetRingState(VhostRequest.SetVringNum, ring, (uint)random.Next(300)); break;
            case 1: front.SetRingState(VhostRequest.SetVringBase, ring, (uint)random.Next(70000)); break;
            case 2: front.EnableRing(ring, random.Next(2) == 0); break;
            case 3: front.StopRing(ring % 3); break;
            case 4: front.SetFeatures(front.Offered & (VirtioFeatures)random.NextInt64()); break;
            case 5: front.SetRingFd(VhostRequest.SetVringKick, ring, random.Next(2) == 0 ? -1 : driver.Rx[0].Kick.Raw); break;
            case 6: front.SetRingAddresses(ring, driver.Rx[0].Ring); break;
            case 7: front.SetMemoryTable(driver.Ram); break;
            case 8: front.Set(VhostRequest.ResetDevice, default); break;
            default: driver.TrySend(0, new byte[100]); break;
        }
    }

    private static bool Answers(VhostFrontend front)
    {
        try
        {
            front.Channel.Receive();
            return true;
        }
        catch (VhostException)
        {
            return false;
        }
    }

    private static long Turns(TwoNics nics) => ((Loops.EventLoop)nics.Nic.Loop(0)).Turns;

    private static void Send(VhostFrontend front, byte[] bytes, int[] fds)
    {
        // The back-end may have closed the connection in the middle: that is an answer, too.
        try { front.Channel.SendRaw(bytes, fds); }
        catch (VhostException) { }
    }

    internal static byte[] Header(uint request, uint flags, uint size)
    {
        var header = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(header, request);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), flags);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), size);
        return header;
    }

    /// <summary>A table of so many regions of a page, all at the same place.</summary>
    private static byte[] Table(int regions)
    {
        var table = new byte[8 + (32 * regions)];
        table[0] = (byte)regions;
        for (var i = 0; i < regions; i++) BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(8 + (32 * i) + 8), 4096);
        return table;
    }
}
