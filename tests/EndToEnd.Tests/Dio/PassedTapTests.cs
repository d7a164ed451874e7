using NicHost.EndToEnd.Tests.Lab;
using NicHost.Probe.Stack;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>A TAP that somebody else has opened, passed to a running host over its control socket.</summary>
[Trait("Category", "RealGuest")]
public sealed class PassedTapTests
{
    [RealGuestFact]
    public async Task Tap_that_is_passed_serves_the_guest_and_another_takes_its_place()
    {
        RealGuestFactAttribute.DemandRights();
        using var world = new DioWorld();
        // A bridge without an address of its own takes its ports' lowest, and another when that port goes: the guest would talk to the old one.
        world.A.Run("""
            ip link add nh0 address 02:00:00:00:78:01 type bridge; ip address add 192.168.78.1/24 dev nh0; ip link set nh0 up
            for tap in given0 given1; do ip tuntap add $tap mode tap; ip link set $tap master nh0 up; done
            """);
        await using var host = new DioBackend(world.A, "bridge-passed.json");
        await host.StartAsync();
        using var web = new Station(host, "web");
        Assert.Contains("no TAP was passed (nichost pass web/eth0 FD)", host.Log, StringComparison.Ordinal);

        Assert.Equal("given0 1\n", Pass(world.A, host, "given0"));
        web.Take("192.168.78.20");
        Assert.True(web.Pings(Ip.Parse("192.168.78.1"), 1500));
        Assert.Equal("given1 1\n", Pass(world.A, host, "given1"));
        world.A.Run("ip link del given0");
        Assert.True(web.Pings(Ip.Parse("192.168.78.1"), 1500));

        // What is no TAP changes nothing.
        var refused = Assert.ThrowsAny<Exception>(() => world.A.Run($"nichost pass web/eth0 0 --control {host.Control} < /dev/null 2>&1"));
        Assert.Contains("A descriptor that was passed is no TAP's.", refused.Message, StringComparison.Ordinal);
        Assert.True(web.Pings(Ip.Parse("192.168.78.1"), 1500));
    }

    private static string Pass(DioHost world, DioBackend host, string tap) => world.Run($"""
        export NICHOST_CONTROL={host.Control} PATH={Path.GetDirectoryName(Repository.PathOf("nichost"))}:$PATH
        {Handbook.Commands("A TAP that a management stack opens", "pass").Replace("given0", tap, StringComparison.Ordinal)}
        """);
}
