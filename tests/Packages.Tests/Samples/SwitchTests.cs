using NicHost.Packages.Tests.Rig;

namespace NicHost.Packages.Tests.Samples;

/// <summary>The sample of a third party's plugin: a switch between the VMs of one host.</summary>
[Collection(FeedCollection.Name)]
public sealed class SwitchTests(PackageFeed feed)
{
    [Fact]
    public async Task Sample_is_built_from_packages_alone_and_passes_its_tests()
    {
        await using var author = Author.OfPackages(feed);
        Assert.Matches(@"Passed! .* Failed: +0, ", await SwitchSample.Copy(author, feed).TestAsync());
    }

    [Fact]
    public async Task Plugin_that_is_dropped_into_a_running_host_connects_the_VMs_that_its_topology_then_gets()
    {
        await using var author = await Author.MoveInAsync(feed);
        Write(author, "");
        await using var host = author.Start("$NICHOST/nichost run topology.json --no-watch", author.Work);
        await host.UntilAsync("ready: 1 of 1");

        await SwitchSample.Copy(author, feed).DropAsync();
        await host.UntilPrintedAsync("is offered: switch.");
        Write(author, Vm("left") + Vm("right"));
        Assert.Contains("+ VM right", await author.RunAsync("$NICHOST/nichost apply", author.Work), StringComparison.Ordinal);

        await using var right = await AnswerAsync(author, "right", "192.0.2.1");
        await PingAsync(author, "left", "192.0.2.1");
        await using var left = await AnswerAsync(author, "left", "192.0.2.2");

        Write(author, Vm("right"));
        Assert.Contains("- VM left", await author.RunAsync("$NICHOST/nichost apply", author.Work), StringComparison.Ordinal);
        Assert.Equal(1, await left.EndAsync());
        Assert.Contains("The host closed the connection.", left.Output, StringComparison.Ordinal);

        // The other one has noticed nothing: it answers the guest that comes in that place.
        Write(author, Vm("right") + Vm("left"));
        await author.RunAsync("$NICHOST/nichost apply", author.Work);
        await PingAsync(author, "left", "192.0.2.1");
        var inspected = await author.RunAsync("$NICHOST/nichost inspect right", author.Work);
        Assert.Contains("restarts: 0", inspected, StringComparison.Ordinal);
        Assert.Contains("attachments: 1", inspected, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Switch 0\.1\.0 +active +1\.1 +endpoint switch +left, right$", await author.RunAsync("$NICHOST/nichost plugins", author.Work));

        Assert.Equal(0, await right.StopAsync());
        Assert.Equal(0, await host.StopAsync());
    }

    private static async Task<Command> AnswerAsync(Author author, string vm, string address)
    {
        var guest = author.Start($"$NICHOST/nichost probe {vm}/eth0 --address {address}/24", author.Work);
        await guest.UntilAsync($"note  {address} answers pings");
        return guest;
    }

    private static async Task PingAsync(Author author, string vm, string peer) =>
        Assert.Contains("4 of 4 checks passed", await author.RunAsync($"$NICHOST/nichost probe {vm}/eth0 --address 192.0.2.9/24 --ping {peer}", author.Work), StringComparison.Ordinal);

    private static void Write(Author author, string vms) => File.WriteAllText(Path.Combine(author.Work, "topology.json"), $$"""
        { "vms": {
          "first": { "nics": { "eth0": { "device": { "kind": "virtio", "socket": "first.sock" }, "endpoint": { "kind": "null" } } } },{{vms}}
        } }
        """);

    private static string Vm(string name) => $$"""

          "{{name}}": { "nics": { "eth0": { "device": { "kind": "virtio", "socket": "{{name}}.sock" }, "endpoint": { "kind": "switch", "name": "lan" } } } },
        """;
}
