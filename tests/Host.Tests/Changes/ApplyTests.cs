using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Host.Changes;
using NicHost.Host.Machines;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Tests.Machines;
using NicHost.Testing;

namespace NicHost.Host.Tests.Changes;

public sealed class ApplyTests
{
    [Fact]
    public async Task Option_that_changes_in_place_touches_neither_link_nor_the_other_half_nor_other_NICs()
    {
        await using var host = await StartAsync(Nic("a", "cable", "red"), Nic("b", "cable", "red"));
        var (device, endpoint) = (host.Device("a"), host.Endpoint("a"));
        await ApplyAsync(host, Nic("a", "cable", "green"), Nic("b", "cable", "red"));
        Assert.Equal(["vm/a endpoint is green"], host.Events);
        Assert.Same(device, host.Device("a"));
        Assert.Same(endpoint, host.Endpoint("a"));
        Assert.Equal("green", host.Nic("a").Model.Endpoint.Options.GetProperty("label").GetString());
    }

    [Fact]
    public async Task Option_that_the_host_refuses_stays_and_is_planned_again_next_time()
    {
        await using var host = await StartAsync(Nic("a", "cable", "red"));
        host.Endpoints.Refusals["taken"] = "Port 80 is taken: choose another.";
        var result = await ApplyAsync(host, Nic("a", "cable", "taken"));
        Assert.Equal("Port 80 is taken: choose another.", Assert.Single(result.Failures).Value);
        Assert.Equal(NicState.Running, host.Nic("a").State);
        Assert.Equal("red", host.Nic("a").Model.Endpoint.Options.GetProperty("label").GetString());

        host.Endpoints.Refusals.Clear();
        Assert.Empty((await ApplyAsync(host, Nic("a", "cable", "taken"))).Failures);
        Assert.Equal("taken", host.Nic("a").Model.Endpoint.Options.GetProperty("label").GetString());
    }

    [Fact]
    public async Task What_one_NIC_gives_up_in_place_another_gets_in_the_same_change()
    {
        await using var host = TestHost.Of(Topology([Nic("a", "cable", "red"), Nic("b", "cable", "blue"), Nic("c", "cable", "green")]));
        host.Endpoints.LabelsAreExclusive = true;
        Assert.Empty((await host.StartAsync()).Failures);
        var result = await ApplyAsync(host, Nic("a", "cable", "blue"), Nic("b", "cable", "green"), Nic("c", "cable", "white"));
        Assert.Empty(result.Failures);
        Assert.Equal(["blue", "green", "white"], host.Runtime.Nics.Select(nic => nic.Model.Endpoint.Options.GetProperty("label").GetString()));
    }

    [Fact]
    public async Task Link_goes_down_and_up_by_the_topology_alone()
    {
        await using var host = await StartAsync(Nic("a", "cable"));
        await ApplyAsync(host, Nic("a", "cable", more: "\"link\": \"down\","));
        Assert.False(host.Device("a").Backend!.Link.IsUp);
        await ApplyAsync(host, Nic("a", "cable"));
        Assert.Equal(["vm/a link down", "vm/a link up"], host.Events);
    }

    [Fact]
    public async Task Endpoint_is_told_of_the_link_that_the_topology_sets()
    {
        await using var host = await StartAsync(Nic("a", "cable", more: "\"link\": \"down\","), Nic("b", "cable"));
        await ApplyAsync(host, Nic("a", "cable"), Nic("b", "cable", "blue"));
        await ApplyAsync(host, Nic("a", "cable", "red"), Nic("b", "cable", "blue", more: "\"link\": \"down\","));
        Assert.Equal([false, true], host.Endpoint("a").Cable);
        Assert.Equal([false], host.Endpoint("b").Cable);
        // The next endpoint hears it from the start.
        await ApplyAsync(host, Nic("a", "cable", "red"), Nic("b", "null", more: "\"link\": \"down\","));
        await ApplyAsync(host, Nic("a", "cable", "red"), Nic("b", "cable", more: "\"link\": \"down\","));
        Assert.Equal([false], host.Endpoint("b").Cable);
    }

    [Fact]
    public async Task NIC_that_moves_keeps_its_device_and_its_open_queues()
    {
        await using var host = await StartAsync(Nic("a", "cable", "red"), Nic("b", "cable"));
        var device = host.Device("a");
        var queue = await device.Loop.InvokeAsync(() => device.Backend!.OpenQueue(0, new FakeQueue(), OffloadSet.Checksum));
        var first = host.Endpoint("a");
        await Send(device, queue, 1);

        await ApplyAsync(host, Nic("a", "null"), Nic("b", "cable"));
        Assert.Equal(["vm/a link down", "vm/a endpoint disposed", "vm/a link up"], host.Events);
        await Send(device, queue, 2);
        Assert.Equal(1, first.Taken);

        host.Events.Clear();
        await ApplyAsync(host, Nic("a", "cable", "red"), Nic("b", "cable"));
        Assert.Equal(["vm/a link down", "vm/a endpoint start", "vm/a link up"], host.Events);
        await Send(device, queue, 4);
        Assert.Equal(4, host.Endpoint("a").Taken);
        Assert.Same(device, host.Device("a"));
        Assert.Equal(0, device.Backend!.Counters(0).TxDropped(DropReason.LinkDown));
        Assert.Equal(0, host.Nic("a").Restarts);
    }

    [Fact]
    public async Task Queue_that_is_opened_while_the_NIC_is_unplugged_is_plugged_in_later()
    {
        await using var host = await StartAsync(Nic("a", "cable"));
        var device = host.Device("a");
        await host.Nic("a").ReleaseAsync(NicChangeKind.Move);
        Assert.Equal(NicState.Changing, host.Nic("a").State);
        var queue = await device.Loop.InvokeAsync(() => device.Backend!.OpenQueue(0, new FakeQueue(), default));
        await Send(device, queue, 3);
        Assert.Equal(3, device.Backend!.Counters(0).TxDropped(DropReason.LinkDown));
        Assert.Null(await host.Nic("a").AcquireAsync(host.Nic("a").Model));
        await Send(device, queue, 5);
        Assert.Equal(5, host.Endpoint("a").Taken);
    }

    [Fact]
    public async Task Move_that_fails_goes_back_to_the_endpoint_before()
    {
        await using var host = await StartAsync(Nic("a", "null"));
        host.Endpoints.Refusals["taken"] = "Port 80 is taken: choose another.";
        var result = await ApplyAsync(host, Nic("a", "cable", "taken"));
        Assert.Equal("Port 80 is taken: choose another. It stays on null.", Assert.Single(result.Failures).Value);
        Assert.Equal((NicState.Running, "null"), (host.Nic("a").State, host.Nic("a").Model.Endpoint.Kind));
        Assert.True(host.Device("a").Backend!.Link.IsUp);
    }

    [Fact]
    public async Task Guest_that_was_offered_more_than_the_next_endpoint_takes_goes_on()
    {
        await using var host = await StartAsync(Nic("a", "loopback"));
        var device = host.Device("a");
        Assert.True(device.Backend!.Endpoint.TxAccepts.Has(OffloadSet.TsoV4));
        var queue = await device.Loop.InvokeAsync(() => device.Backend!.OpenQueue(0, new FakeQueue(), default));
        await ApplyAsync(host, Nic("a", "cable"));
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, payload: 3000, segmentSize: 1000);
        using var builder = new TxBuilder();
        await device.Loop.InvokeAsync(() => Assert.Equal(1, builder.Add(frame, offload).TransmitTo(queue)));
        Assert.Equal(3, host.Endpoint("a").Taken);
    }

    [Fact]
    public async Task VM_and_NICs_come_and_go_and_the_rest_stays()
    {
        await using var host = await StartAsync(Nic("a", "cable"), Nic("b", "cable"));
        var stays = host.Device("b");
        var result = await host.Runtime.ApplyAsync(host.Read($$"""{ "vms": { "vm": { "nics": { {{Nic("b", "cable")}}, {{Nic("c", "null")}} } }, "other": { "nics": { {{Nic("a", "null")}} } } } }"""));
        Assert.Empty(result.Failures);
        Assert.Equal(["other/a", "vm/b", "vm/c"], host.Runtime.Nics.Select(nic => nic.Identity.ToString()));
        Assert.Same(stays, host.Device("b"));
        Assert.Contains("vm/a link down", host.Events);
        Assert.DoesNotContain(host.Events, e => e.StartsWith("vm/b ", StringComparison.Ordinal));

        await host.Runtime.ApplyAsync(host.Read("""{ "vms": {} }"""));
        Assert.Empty(host.Runtime.Vms);
        Assert.Contains("vm/b endpoint disposed", host.Events);
    }

    [Fact]
    public async Task NIC_that_cannot_start_with_what_is_wanted_is_tried_again_with_it()
    {
        await using var host = await StartAsync(Nic("a", "cable"));
        host.Devices.StartFaults.Enqueue(new IOException("no socket"));
        var result = await ApplyAsync(host, Nic("a", "cable", more: "\"mtu\": 9000,"));
        Assert.Equal("no socket It will be tried again.", Assert.Single(result.Failures).Value);
        await Eventually.True(() =>
        {
            host.Time.Advance(TimeSpan.FromMilliseconds(250));
            return host.Nic("a").State == NicState.Running;
        }, "the NIC is back");
        Assert.Equal(9000, host.Nic("a").Model.Mtu);
    }

    private static string Nic(string name, string endpoint, string label = "", string more = "") =>
        $$""" "{{name}}": { {{more}} "device": { "kind": "card" }, "endpoint": { "kind": "{{endpoint}}" {{(label.Length > 0 ? $", \"label\": \"{label}\"" : "")}} } } """;

    private static async Task<TestHost> StartAsync(params string[] nics)
    {
        var host = TestHost.Of(Topology(nics), QueueThreading.SharedLoop);
        Assert.Empty((await host.StartAsync()).Failures);
        host.Events.Clear();
        return host;
    }

    private static Task<ChangeResult> ApplyAsync(TestHost host, params string[] nics) => host.Runtime.ApplyAsync(host.Read(Topology(nics)));

    private static string Topology(string[] nics) => $$"""{ "vms": { "vm": { "nics": { {{string.Join(",", nics)}} } } } }""";

    private static Task Send(FakeDevice device, IEndpointQueue queue, int frames) =>
        device.Loop.InvokeAsync(() => Assert.Equal(frames, queue.Transmit(new TxBatch(new TxFrame[frames], default))));
}
