using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Frontend;

public sealed class FrontendTests
{
    private const VirtioFeatures Plain = VirtioFeatures.Version1 | VirtioFeatures.ProtocolFeatures;

    [Theory]
    [InlineData(Plain, 1)]
    [InlineData(Plain | VirtioFeatures.MrgRxBuf, 1)]
    [InlineData(Plain | VirtioFeatures.MrgRxBuf | VirtioFeatures.EventIdx, 2)]
    [InlineData(Plain | VirtioFeatures.IndirectDesc, 3)]
    [InlineData(Plain | VirtioFeatures.Offloads, 1)]
    [InlineData(VirtioFeatures.Default, 4)]
    public void Guest_transfers_both_ways_with_any_features(VirtioFeatures features, int regions)
    {
        using var backend = new ScriptedBackend(features);
        var bytes = (Up: new CountingSink(verify: true), Down: new CountingSink(verify: true));
        using var guest = Start(backend, features, regions);
        var pattern = new PatternSource(guest.Ram);
        backend.Stack.Listen(80, (_, _) => (new PatternSource(pattern, 1_000_000), bytes.Up));
        var connection = guest.Stack.Connect(Ip.Parse("10.0.0.2"), 80, new PatternSource(pattern, 2_000_000), bytes.Down);
        Assert.True(guest.RunUntil(() => connection.State == TcpState.Closed, TimeSpan.FromSeconds(20)), $"{connection.State} {guest.Faults} {backend.Failure}");
        Assert.Equal((2_000_000, 1_000_000), (bytes.Up.Bytes, bytes.Down.Bytes));
        Assert.Equal(0, bytes.Up.Wrong + bytes.Down.Wrong);
        Assert.Equal("", guest.Faults.ToString());
        Assert.Equal("", backend.Stack.Faults.ToString());
    }

    [Fact]
    public void Negotiation_goes_in_the_order_of_a_vmm()
    {
        using var backend = new ScriptedBackend(Plain);
        using var guest = Start(backend, Plain, 1);
        Ping(guest);
        Assert.Equal(
            "GetFeatures GetProtocolFeatures SetProtocolFeatures SetOwner SetFeatures SetMemTable "
            + "SetVringNum SetVringBase SetVringAddr SetVringCall SetVringKick SetVringEnable "
            + "SetVringNum SetVringBase SetVringAddr SetVringCall SetVringKick SetVringEnable",
            string.Join(' ', backend.Seen));
    }

    [Fact]
    public void Queues_stop_where_they_stand_and_start_again()
    {
        using var backend = new ScriptedBackend(VirtioFeatures.Default);
        using var guest = Start(backend, VirtioFeatures.Default, 1);
        Ping(guest);
        var served = guest.Frontend.StopRing(1);
        Assert.Equal(guest.Tx[0].Ring.AvailIndex, served);
        guest.StartQueues();
        guest.Stack.ResetLink();
        Ping(guest);
    }

    [Fact]
    public void Second_guest_attaches_after_the_first_has_gone()
    {
        using var backend = new ScriptedBackend(VirtioFeatures.Default);
        for (var i = 0; i < 3; i++)
        {
            using var guest = Start(backend, VirtioFeatures.Default, 1);
            Ping(guest);
        }
    }

    [Fact]
    public void Missing_backend_is_named_with_its_path()
    {
        var error = Assert.Throws<VhostException>(() => VhostFrontend.Attach(new FrontendOptions { Socket = "/tmp/nobody-serves-this.sock" }));
        Assert.Contains("/tmp/nobody-serves-this.sock", error.Message, StringComparison.Ordinal);
    }

    private static ProbeGuest Start(ScriptedBackend backend, VirtioFeatures features, int regions)
    {
        var guest = ProbeGuest.Start(new GuestOptions
        {
            Frontend = new FrontendOptions { Socket = backend.Path, Features = features },
            MemoryRegions = regions,
        });
        guest.Stack.Address4 = Ip.Parse("10.0.0.1");
        return guest;
    }

    private static void Ping(ProbeGuest guest)
    {
        guest.Stack.LastEcho = null;
        var sent = false;
        Assert.True(guest.RunUntil(
            () => (sent |= !sent && guest.Stack.SendEcho(Ip.Parse("10.0.0.2"), 1)) && guest.Stack.LastEcho is not null, TimeSpan.FromSeconds(5)));
    }
}
