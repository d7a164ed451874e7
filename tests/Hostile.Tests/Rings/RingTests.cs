using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Hostile.Tests.Rig;
using NicHost.Probe.Frontend;

namespace NicHost.Hostile.Tests.Rings;

/// <summary>A driver that lies, on a NIC whose loop has its own thread. Each lie ends as stated, and the guest's reset brings the NIC back.</summary>
public sealed class RingTests
{
    /// <summary>Lies that break the ring: what inspect and the fault say.</summary>
    public static TheoryData<string, string> Breaking => new()
    {
        { "loop", "loop" }, { "long loop", "loop" }, { "head outside", "names descriptor" }, { "next outside", "beyond its table" }, { "address outside", "outside the memory" },
        { "address wraps", "outside the memory" }, { "length outside", "outside the memory" }, { "index jumps", "ahead of" }, { "index runs back", "ahead of" },
        { "nested indirect", "nests" }, { "odd indirect", "odd size" }, { "empty indirect", "odd size" }, { "indirect outside", "outside the memory" }, { "indirect and next", "goes on after" },
        { "readable after writable", "after a writable" },
    };

    /// <summary>Lies that cost the frame only: it comes back and is counted.</summary>
    public static TheoryData<string, DropReason> Counted => new()
    {
        { "writable frame", DropReason.Malformed }, { "header only", DropReason.Malformed }, { "empty descriptors", DropReason.Malformed },
        { "too long", DropReason.TooLong }, { "longer than the MTU", DropReason.TooLong }, { "too many pieces", DropReason.TooLong },
        { "gso not negotiated", DropReason.BadOffload }, { "checksum outside", DropReason.BadOffload },
    };

    [Theory]
    [MemberData(nameof(Breaking))]
    public async Task Lie_in_a_transmit_ring_stops_the_queue_with_a_reason(string lie, string reason)
    {
        await using var nics = await TwoNics.StartAsync();
        using (var driver = nics.Attach(OffloadSet.Checksum))
        {
            TwoNics.AssertEcho(driver, 100);
            new Lies(driver.Tx[0].Ring, driver.Tx[0].Kick).Tell(lie);
            nics.WaitForFault(reason);
            Assert.Contains(reason, await nics.RingStateAsync(rx: false), StringComparison.Ordinal);
            nics.AssertBystander();
            // A driver that is loaded anew starts the rings anew, on the same connection.
            driver.Detach();
            driver.Attach(OffloadSet.None);
            TwoNics.AssertEcho(driver, 101);
        }
        nics.AssertServes();
    }

    [Theory]
    [MemberData(nameof(Breaking))]
    public async Task Lie_in_a_receive_ring_stops_the_queue_with_a_reason(string lie, string reason)
    {
        await using var nics = await TwoNics.StartAsync();
        using (var driver = nics.Attach(OffloadSet.Checksum, postBuffers: false))
        {
            var ring = driver.Rx[0].Ring;
            // The device has taken nothing from this ring yet: the lie comes first, the frame that wants a buffer then.
            new Lies(ring, driver.Rx[0].Kick).Tell(lie == "index runs back" ? "index jumps" : lie, rx: true);
            driver.TrySend(0, new byte[100]);
            nics.WaitForFault(reason);
            Assert.Contains(reason, await nics.RingStateAsync(rx: true), StringComparison.Ordinal);
            nics.AssertBystander();
        }
        nics.AssertServes();
    }

    [Theory]
    [MemberData(nameof(Counted))]
    public async Task Frame_that_is_none_comes_back_and_is_counted(string lie, DropReason reason)
    {
        await using var nics = await TwoNics.StartAsync();
        using var driver = nics.Attach();
        new Lies(driver.Tx[0].Ring, driver.Tx[0].Kick).Tell(lie);
        TwoNics.Wait(() => nics.Nic.Counters(0).TxDropped(reason) == 1, $"a drop by {reason}");
        TwoNics.Wait(() => Volatile.Read(ref driver.Tx[0].Ring.UsedIndex) == 1, "the chain to come back");
        Assert.Empty(nics.Nic.GuestFaults);
        nics.AssertBystander();
    }

    [Fact]
    public async Task Used_ring_outside_of_memory_is_refused()
    {
        await using var nics = await TwoNics.StartAsync();
        using var driver = nics.Attach();
        driver.Frontend.StopRing(1);
        var ring = driver.Tx[0].Ring;
        foreach (var payload in Lies.UsedRingsOutside(ring))
        {
            Assert.Throws<VhostException>(() =>
            {
                driver.Frontend.Request(VhostRequest.SetVringAddr, payload, default);
                driver.Frontend.SetRingFd(VhostRequest.SetVringKick, 1, driver.Tx[0].Kick.Raw);
            });
            nics.AssertBystander();
        }
    }

    [Fact]
    public async Task Everything_that_changes_while_it_is_read_harms_this_guest_at_most()
    {
        await using var nics = await TwoNics.StartAsync();
        var seed = Environment.TickCount;
        for (var round = 0; round < 6; round++)
        {
            using var driver = nics.Attach(OffloadSet.Checksum | OffloadSet.AllGso);
            using var flipper = new Flipper(driver, seed + round);
            var frame = Testing.TestFrames.TcpSuperFrame(v4: true, 8000, 1400);
            for (var until = Environment.TickCount64 + 300; Environment.TickCount64 < until;)
            {
                // The driver itself may trip over its own garbage: that is its affair.
                driver.Tx[0].Kick.Signal();
                driver.Rx[0].Kick.Signal();
                driver.Tx[0].Ring.AvailIndex++;
                nics.AssertBystander();
            }
        }
        Assert.True(nics.Nic.GuestFaults.All(f => !f.Contains("Exception", StringComparison.Ordinal)), $"seed {seed}");
        nics.AssertServes();
    }

    [Fact]
    public async Task Guest_that_never_takes_frames_back_stalls_only_itself()
    {
        await using var nics = await TwoNics.StartAsync();
        using var driver = nics.Attach(OffloadSet.None, postBuffers: false);
        for (var i = 0; i < 256; i++) driver.TrySend(0, Testing.TestFrames.Plain(1000, i));
        TwoNics.Wait(() => nics.Nic.Counters(0).RxStalls > 0, "a stall");
        for (var i = 0; i < 100; i++) driver.Tx[0].Kick.Signal();
        nics.AssertBystander();
        Assert.Empty(nics.Nic.GuestFaults);
        driver.PostBuffers(0);
        Assert.NotNull(driver.Receive(0, TwoNics.Patience));
    }
}
