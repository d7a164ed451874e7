using NicHost.Contracts.Diagnostics;
using NicHost.Dio.Tests.Rig;
using NicHost.Dio.Windows;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

/// <summary>Start, end, loss and return of a NIC of vmswitch.</summary>
public sealed class LifeTests
{
    private const string Default = """{"kind":"dio"}""";
    private const string TheirPort = """{"kind":"dio","port":{"id":"aaaaaaaa-0000-0000-0000-000000000001"}}""";
    private static readonly Guid Their = new("aaaaaaaa-0000-0000-0000-000000000001");
    private readonly FakeVmSwitch _windows = new();

    private FakeVmNic Nic => _windows.Nic;

    [Fact]
    public void What_was_made_is_undone_in_reverse()
    {
        using (var bench = Bench.Started(Default, factory: _windows.Factory))
        {
            bench.Open();
            var made = bench.Inspect().Children.Single(child => child.Name == "made").Children;
            Assert.Equal(["vmswitchport", "vmswitchnic"], made.Select(child => child.Name));
        }
        Assert.Equal(["port made in c08cb7b8-9b3c-408e-8e30-5e16a3aeb444", "NIC made", "connected", "NIC closed", "port closed"], _windows.Log);
    }

    [Fact]
    public void Port_of_the_management_stack_is_used_and_left_in_place()
    {
        _windows.Ports[Their] = false;
        using (var bench = Bench.Started(TheirPort, factory: _windows.Factory)) bench.Open();
        Assert.Equal(["NIC made", "connected", "NIC closed"], _windows.Log);
        Assert.False(_windows.Ports[Their]);
    }

    [Fact]
    public void Guest_and_NIC_have_the_names_and_the_address_of_the_topology()
    {
        using var bench = Bench.Started("""{"kind":"dio","nic":{"name":"the web server"}}""", factory: _windows.Factory);
        Assert.Equal("the web server", Nic.Identity.FriendlyName);
        Assert.Equal("vm-nic", Nic.Identity.Name);
        Assert.Equal(Bench.GuestMac.Value, Nic.Identity.Mac);
    }

    [Fact]
    public async Task End_waits_for_the_kernel_and_only_then_closes_the_NIC()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        var (queue, device) = bench.Open();
        Nic.HoldsWrites = Nic.HoldsOn = true;
        using var batch = new TxBuilder();
        batch.Add(TestFrames.Plain(60, 1)).TransmitTo(queue);
        queue.Close();
        device.IsClosed = true;
        var end = bench.Endpoint.DisposeAsync().AsTask();
        Assert.True(Nic.WasCancelled);
        Assert.False(end.IsCompleted);
        Assert.False(Nic.IsClosed);
        // Buffers and operations are still the kernel's to write to.
        for (var i = 0; i < FrameReads.InFlight; i++) Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(1514, i)));
        Assert.False(end.IsCompleted);
        Nic.LetGo();
        await end.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(Nic.IsClosed);
        Assert.Empty(bench.Host.Troubles);
    }

    [Fact]
    public void End_without_a_queue_that_was_opened_is_at_once()
    {
        var bench = Bench.Started(Default, factory: _windows.Factory);
        Assert.True(bench.Endpoint.DisposeAsync().AsTask().IsCompletedSuccessfully);
        Assert.True(Nic.IsClosed);
        bench.Loop.Dispose();
    }

    [Fact]
    public void Read_that_fails_takes_the_link_down_and_a_new_NIC_brings_it_up()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        var (queue, device) = bench.Open();
        var first = Nic;
        _windows.Refusals[nameof(IVmSwitch.MakePort)] = WindowsError.NotFound;
        first.EndRead([], 0xc000009d);
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link is down");
        Assert.Contains("the NIC in switch \"Default Switch\" is gone: reading from it ended with status 0xc000009d", bench.Host.Troubles);
        using var batch = new TxBuilder();
        Assert.Equal(1, batch.Add(TestFrames.Plain(60, 1)).TransmitTo(queue));
        Assert.Equal(1, bench.Counters.TxDropped(DropReason.LinkDown));

        bench.Until(() => bench.Host.Troubles.Any(trouble => trouble.Contains("Cannot make a port", StringComparison.Ordinal)), "a try that fails, told");
        Assert.True(first.IsClosed);
        Assert.Empty(_windows.Ports);
        _windows.Refusals.Clear();
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link is up");
        Assert.NotSame(first, Nic);
        Assert.Equal(1, batch.Add(TestFrames.Plain(60, 2)).TransmitTo(queue));
        Assert.Equal(TestFrames.Plain(60, 2), Nic.Written.Single());
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)));
        bench.Until(() => device.Received.Count == 1, "a frame");
        Assert.True(bench.Host.LinkChanges >= 3);
    }

    [Fact]
    public void Read_that_cannot_be_started_is_a_loss_too()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        Nic.ReadError = 6;
        bench.Open();
        bench.Until(() => bench.Host.Troubles.Count > 0, "a trouble");
        Assert.Contains("reading from it failed: Windows error 6", bench.Host.Troubles[0], StringComparison.Ordinal);
        bench.Until(() => bench.Endpoint.Link.IsUp, "another NIC");
        Assert.Equal(FrameReads.InFlight, Nic.RunningReads);
    }

    [Fact]
    public void Read_that_cannot_be_started_anew_is_a_loss_though_others_run()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        var (_, device) = bench.Open();
        bench.Loop.RunUntilIdle();
        Nic.ReadError = 6;
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 1)));
        bench.Until(() => bench.Host.Troubles.Count > 0, "a trouble");
        Assert.Contains("reading from it failed: Windows error 6", bench.Host.Troubles[0], StringComparison.Ordinal);
        Assert.Single(device.Received);
    }

    [Fact]
    public void Queue_opened_while_the_lost_NIC_is_let_go_leaves_it_alone()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        var lost = Nic;
        lost.HoldsOn = true;
        var (queue, _) = bench.Open();
        lost.EndRead([], 0xc000009d);
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link is down");
        queue.Close();
        var running = lost.RunningReads;
        var (_, device) = bench.Open();
        Assert.Equal(running, lost.RunningReads);
        lost.LetGo();
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link is up");
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)));
        bench.Until(() => device.Received.Count == 1, "a frame");
    }

    [Fact]
    public void NIC_that_is_lost_as_soon_as_it_is_made_is_made_less_and_less_often()
    {
        var time = new HandTime();
        using var bench = Bench.Started(Default, factory: _windows.Factory, time: time);
        var made = 0;
        Nic.ReadError = 6;
        _windows.Made = nic =>
        {
            made++;
            nic.ReadError = 6;
        };
        bench.Open();
        foreach (var wait in new[] { 250, 500, 1000, 2000, 4000, 8000, 16_000, 16_000 })
        {
            var before = made;
            bench.Until(() => bench.Loop.TimerCount == 1 && !bench.Endpoint.Link.IsUp, "a retry is set");
            time.Advance(wait - 1);
            bench.Loop.RunUntilIdle();
            Assert.Equal(before, made);
            time.Advance(1);
            bench.Until(() => made == before + 1, "another NIC");
        }
    }

    [Fact]
    public void Guest_that_waits_for_room_is_told_when_the_NIC_goes()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        var (queue, device) = bench.Open();
        Nic.HoldsWrites = true;
        using var batch = new TxBuilder();
        for (var i = 0; i < 40; i++) batch.Add(TestFrames.Plain(60, i));
        Assert.Equal(FrameWrites.InFlight, batch.Offer(queue));
        _windows.Refusals[nameof(IVmSwitch.Network)] = WindowsError.NotFound;
        Nic.EndRead([], 0xc000009d);
        bench.Until(() => device.TransmitReadies == 1, "a call to offer the rest");
        Assert.Equal(40, batch.Offer(queue));
        Assert.Equal(40, bench.Counters.TxDropped(DropReason.LinkDown));
    }

    [Fact]
    public void Queue_opened_while_the_NIC_is_gone_works_when_it_is_back()
    {
        using var bench = Bench.Started(Default, factory: _windows.Factory);
        bench.Open().Queue.Close();
        _windows.Refusals[nameof(IVmNic.Connect)] = WindowsError.Timeout;
        Nic.EndRead([], 0xc000009d);
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link is down");
        var (_, device) = bench.Open();
        _windows.Refusals.Clear();
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link is up");
        Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(60, 3)));
        bench.Until(() => device.Received.Count == 1, "a frame");
    }

    [Fact]
    public async Task End_while_the_NIC_is_gone_leaves_nothing()
    {
        var bench = Bench.Started(Default, factory: _windows.Factory);
        bench.Open();
        Nic.HoldsOn = true;
        Nic.EndRead([], 0xc000009d);
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link is down");
        var end = bench.Endpoint.DisposeAsync().AsTask();
        Assert.False(end.IsCompleted);
        Nic.LetGo();
        await end.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(_windows.Nics, nic => Assert.True(nic.IsClosed));
        Assert.Empty(_windows.Ports);
        bench.Dispose();
    }
}
