using NicHost.Contracts.Loops;
using NicHost.Host.Diagnostics;
using NicHost.Host.Machines;
using VerifyXunit;

namespace NicHost.Host.Tests.Machines;

public sealed class LifeCycleTests
{
    [Fact]
    public async Task Start_and_stop_go_in_order_for_the_whole_VM()
    {
        var host = await TestHost.StartAsync("a", "b");
        Assert.Equal(["vm/a device start, link up", "vm/a endpoint start", "vm/b device start, link up", "vm/b endpoint start"], host.Events.Order());
        foreach (var nic in new[] { "a", "b" }) Assert.True(Index($"vm/{nic} endpoint start") < Index($"vm/{nic} device start, link up"));
        host.Events.Clear();

        await host.DisposeAsync();

        var events = host.Events.Select(e => e.Split(' ', 2)[1]).ToArray();
        Assert.Equal(["link down", "link down", "device disposed", "device disposed", "endpoint disposed", "endpoint disposed"], events);
        Assert.All(host.Runtime.Nics, nic => Assert.Equal(NicState.Stopped, nic.State));

        int Index(string what) => host.Events.ToList().IndexOf(what);
    }

    [Fact]
    public async Task Fault_in_a_handler_ends_only_its_NIC_which_comes_back_later_each_time()
    {
        await using var host = await TestHost.StartAsync("a", "b");
        var other = host.Device("b");
        foreach (var seconds in new[] { 1, 2, 4 })
        {
            var device = host.Device("a");
            host.Events.Clear();
            device.Loop.Post(() => throw new FormatException("a bad day"));
            await Eventually.True(() => host.Nic("a").State == NicState.Faulted && host.Events.Contains("vm/a endpoint disposed"), "the NIC is stopped");
            Assert.Contains("a bad day", host.Nic("a").Reason, StringComparison.Ordinal);
            Assert.Equal(["vm/a device disposed", "vm/a endpoint disposed"], host.Events);
            await AdvanceUntil(host, TimeSpan.FromSeconds(seconds), () => host.Device("a") != device && host.Nic("a").State == NicState.Running);
        }
        Assert.Equal(NicState.Running, host.Nic("b").State);
        Assert.Same(other, host.Device("b"));
        Assert.Equal(3, await other.Loop.InvokeAsync(() => 3));
    }

    [Fact]
    public async Task Start_that_fails_is_told_and_tried_again()
    {
        await using var host = TestHost.Create(default, "a", "b");
        host.Devices.StartFaults.Enqueue(new IOException("/tmp/x.sock is in use: stop the other process."));
        await host.StartAsync();
        var failed = Assert.Single(host.Runtime.Nics, nic => nic.State == NicState.Faulted);
        Assert.Equal("/tmp/x.sock is in use: stop the other process.", failed.Reason);
        Assert.Single(host.Runtime.Nics, nic => nic.State == NicState.Running);

        await AdvanceUntil(host, TimeSpan.FromSeconds(1), () => failed.State == NicState.Running);
    }

    [Fact]
    public async Task NIC_that_faults_too_often_is_left_alone_until_somebody_changes_it()
    {
        await using var host = TestHost.Of("""{ "vms": { "vm": { "nics": { "a": { "restart": { "limit": 1 }, "device": { "kind": "card" }, "endpoint": { "kind": "cable" } } } } } }""");
        await host.StartAsync();
        host.Device("a").Loop.Post(() => throw new FormatException("first"));
        await Eventually.True(() => host.Nic("a").State == NicState.Faulted, "the NIC is stopped");
        await AdvanceUntil(host, TimeSpan.FromSeconds(1), () => host.Nic("a").State == NicState.Running);
        host.Device("a").Loop.Post(() => throw new FormatException("second"));
        await Eventually.True(() => host.Nic("a").State == NicState.GivenUp, "the NIC is given up");
        host.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal((NicState.GivenUp, 1), (host.Nic("a").State, host.Nic("a").Restarts));
        Assert.Contains("second", host.Nic("a").Reason, StringComparison.Ordinal);

        Assert.Empty((await host.Runtime.ApplyAsync(host.Read("""{ "vms": { "vm": { "nics": { "a": { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } } } } } }"""))).Failures);
        Assert.Equal(NicState.Running, host.Nic("a").State);
    }

    [Fact]
    public async Task What_a_faulted_NIC_left_on_the_loop_is_gone()
    {
        await using var host = await TestHost.StartAsync("a");
        var device = host.Device("a");
        using var fd = new NicHost.Linux.EventFd();
        var ran = false;
        await device.Loop.InvokeAsync(() =>
        {
            device.Loop.Watch(fd.Raw, FdEvents.Readable, new Loops.Handler(_ => ran = true));
            device.Loop.Post(() => throw new FormatException());
        });
        await Eventually.True(() => host.Events.Contains("vm/a endpoint disposed"), "the NIC is stopped");
        fd.Signal();
        await AdvanceUntil(host, TimeSpan.FromSeconds(1), () => host.Nic("a").State == NicState.Running);
        await host.Device("a").Loop.InvokeAsync(() => { });
        Assert.False(ran);
    }

    [Fact]
    public async Task Device_that_never_ends_does_not_keep_the_host_from_stopping()
    {
        var host = await TestHost.StartAsync("a", "b");
        host.Device("a").Disposal = new TaskCompletionSource().Task;
        var stopped = host.DisposeAsync().AsTask();
        await AdvanceUntil(host, TimeSpan.FromSeconds(5), () => stopped.IsCompleted);
        await stopped;
        Assert.Contains("vm/b endpoint disposed", host.Events);
        Assert.Contains("vm/a endpoint disposed", host.Events);
    }

    [Fact]
    public async Task Inspect_shows_a_NIC_as_a_tree()
    {
        await using var host = await TestHost.StartAsync("a");
        host.Device("a").Backend!.ReportAttachment("QEMU 9");
        host.Device("a").Backend!.ReportGuestFault("a ring index jumped");
        host.Device("a").Backend!.Counters(0).DropTx(Contracts.Diagnostics.DropReason.Malformed);
        host.Endpoint("a").Host!.ReportTrouble("no sockets left");
        var node = await host.Runtime.InspectAsync("vm/a");
        await Verifier.Verify(InspectRenderer.Text(node!) + InspectRenderer.Json(node!));
    }

    [Fact]
    public async Task Inspect_of_a_name_that_is_not_there_is_null()
    {
        await using var host = await TestHost.StartAsync("a");
        Assert.Null(await host.Runtime.InspectAsync("vm/b"));
        Assert.Null(await host.Runtime.InspectAsync("wm"));
        Assert.NotNull(await host.Runtime.InspectAsync("vm"));
        Assert.NotNull(await host.Runtime.InspectAsync(""));
    }

    private static async Task AdvanceUntil(TestHost host, TimeSpan delay, Func<bool> condition)
    {
        // The supervisor may still be on its way to its delay: the clock is moved in steps, never further than the delay plus some.
        var step = delay / 4;
        await Eventually.True(() =>
        {
            if (condition()) return true;
            host.Time.Advance(step);
            return false;
        }, "the NIC is back");
    }
}
