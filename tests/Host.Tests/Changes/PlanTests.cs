using NicHost.Contracts.Endpoints;
using NicHost.Host.Changes;
using NicHost.Host.Tests.Machines;
using VerifyXunit;

namespace NicHost.Host.Tests.Changes;

public sealed class PlanTests
{
    private const string Before = """
        { "vms": {
          "vm": { "nics": {
            "device":   { "device": { "kind": "card", "label": "red", "queues": 2 }, "endpoint": { "kind": "cable" } },
            "ends":     { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "endpoint": { "device": { "kind": "card" }, "endpoint": { "kind": "cable", "label": "red", "limits": { "flows": 3, "inner": [{ "flows": 1 }] } } },
            "lists":    { "device": { "kind": "card" }, "endpoint": { "kind": "cable", "names": ["a", "b", "c"] } },
            "link":     { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "mac":      { "mac": "52:54:00:00:00:01", "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "moves":    { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "mtu":      { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "same":     { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } }
          } },
          "old": { "nics": { "a": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } } } }
        } }
        """;

    private const string After = """
        { "vms": {
          "new": { "nics": { "a": { "device": { "kind": "card" }, "endpoint": { "kind": "null" } } } },
          "vm": { "nics": {
            "comes":    { "device": { "kind": "card" }, "endpoint": { "kind": "loopback" } },
            "device":   { "device": { "kind": "card", "label": "green", "queues": 2 }, "endpoint": { "kind": "cable" } },
            "endpoint": { "device": { "kind": "card" }, "endpoint": { "label": "green", "kind": "cable", "limits": { "inner": [{ "flows": 1 }], "flows": 3 } } },
            "lists":    { "device": { "kind": "card" }, "endpoint": { "kind": "cable", "names": ["b", "d"] } },
            "link":     { "link": "down", "restart": { "limit": 3 }, "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "mac":      { "mac": "52:54:00:00:00:02", "device": { "kind": "card" }, "endpoint": { "kind": "cable" } },
            "moves":    { "device": { "kind": "card", "label": "blue" }, "endpoint": { "kind": "loopback" } },
            "mtu":      { "mtu": 9000, "device": { "kind": "card", "queues": 4 }, "endpoint": { "kind": "null" } },
            "same":     { "device": { "kind": "card" }, "endpoint": { "kind": "cable" } }
          } }
        } }
        """;

    [Fact]
    public async Task Plan_says_of_each_NIC_what_differs_and_how_gently_it_changes()
    {
        await using var host = TestHost.Of(Before);
        await host.StartAsync();
        var plan = ChangePlanner.Plan(host.Runtime.Vms, host.Read(After));
        await Verifier.Verify(ChangeText.Render(plan));
    }

    [Fact]
    public async Task Plan_as_JSON_has_the_same_facts()
    {
        await using var host = await TestHost.StartAsync("a", "b");
        var wanted = host.Read(TestHost.Topology("a").Replace("cable", "null", StringComparison.Ordinal));
        await Verifier.Verify(ChangeJson.Render(ChangePlanner.Plan(host.Runtime.Vms, wanted), applied: false, new Dictionary<Contracts.Nics.NicIdentity, string>()));
    }

    [Fact]
    public async Task Same_topology_is_no_change_however_it_is_written()
    {
        await using var host = TestHost.Of(Before);
        await host.StartAsync();
        Assert.True(ChangePlanner.Plan(host.Runtime.Vms, host.Read(Before.Replace("\n", "\n\n // a remark\n", StringComparison.Ordinal))).IsEmpty);
    }

    [Fact]
    public async Task NIC_whose_queues_run_on_several_threads_is_made_anew_for_an_endpoint_that_shares_one()
    {
        await using var host = TestHost.Of("""{ "vms": { "vm": { "nics": { "a": { "device": { "kind": "card", "queues": 2 }, "endpoint": { "kind": "loopback" } } } } } }""", QueueThreading.SharedLoop);
        await host.StartAsync();
        var change = Assert.Single(Plan("cable", 2).Nics);
        Assert.Equal(NicChangeKind.Replug, change.Kind);
        Assert.Contains("several threads", change.Why, StringComparison.Ordinal);
        Assert.Equal(NicChangeKind.Move, Assert.Single(Plan("null", 2).Nics).Kind);

        ChangePlan Plan(string endpoint, int queues) => ChangePlanner.Plan(host.Runtime.Vms, host.Read(
            $$"""{ "vms": { "vm": { "nics": { "a": { "device": { "kind": "card", "queues": {{queues}} }, "endpoint": { "kind": "{{endpoint}}" } } } } } }"""));
    }

    [Fact]
    public async Task NIC_with_more_queues_than_the_next_endpoint_takes_is_made_anew()
    {
        await using var host = TestHost.Of("""{ "vms": { "vm": { "nics": { "a": { "device": { "kind": "card", "queues": 8 }, "endpoint": { "kind": "loopback" } } } } } }""");
        await host.StartAsync();
        var change = Assert.Single(ChangePlanner.Plan(host.Runtime.Vms, host.Read(
            """{ "vms": { "vm": { "nics": { "a": { "device": { "kind": "card", "queues": 8 }, "endpoint": { "kind": "cable" } } } } } }""")).Nics);
        Assert.Equal((NicChangeKind.Replug, "the guest has 8 queues, a cable endpoint takes 4"), (change.Kind, change.Why));
    }

    [Fact]
    public async Task NIC_that_does_not_run_starts_anew_with_what_is_wanted()
    {
        await using var host = TestHost.Create(default, "a");
        host.Devices.StartFaults.Enqueue(new IOException("no socket"));
        await host.StartAsync();
        var change = Assert.Single(ChangePlanner.Plan(host.Runtime.Vms, host.Read(TestHost.Topology("a").Replace("cable", "null", StringComparison.Ordinal))).Nics);
        Assert.Equal((NicChangeKind.Replug, null), (change.Kind, change.Why));
    }
}
