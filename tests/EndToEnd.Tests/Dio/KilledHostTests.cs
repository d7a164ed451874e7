using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>A host that makes bridge, TAPs and ports itself, and is killed.</summary>
[Trait("Category", "RealGuest")]
public sealed class KilledHostTests
{
    [RealGuestFact]
    public async Task Next_start_removes_what_the_killed_host_left_and_nothing_else()
    {
        RealGuestFactAttribute.DemandRights();
        using var world = new DioWorld();
        // Others' things, of the same kinds.
        world.A.Run("ip link add other0 type bridge; ip tuntap add other1 mode tap; ip link set other1 master other0 up; ip link set other0 up");
        var before = world.A.Links();
        await using var host = new DioBackend(world.A, "bridge.json", mayConfigure: true);
        await host.StartAsync();
        using (var web = new Station(host, "web"))
        {
            web.Take("192.168.77.10");
            Assert.True(web.Pings(Probe.Stack.Ip.Parse("192.168.77.1"), 1500));
            host.Signal(Native.SigKill);
            await host.ExitAsync(TimeSpan.FromSeconds(10));
        }

        // The TAPs went with the process, the bridge did not.
        Assert.Contains("nh0:", world.A.Links(), StringComparison.Ordinal);
        await host.DisposeAsync();
        foreach (var vm in host.Vms)
        {
            host.Nic(vm)["endpoint"]!["switch"]!["name"] = "nh1";
            File.Delete(host.PlugOf(vm).Socket);
        }

        host.Write();
        await host.StartAsync();
        Assert.DoesNotContain("nh0:", world.A.Links(), StringComparison.Ordinal);
        Assert.Contains("An earlier run ended without cleaning up", host.Log, StringComparison.Ordinal);
        host.Signal(Native.SigTerm);
        Assert.Equal(0, await host.ExitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(before, world.A.Links());
    }
}
