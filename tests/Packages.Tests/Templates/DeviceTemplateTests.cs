using NicHost.Contracts.Nics;
using NicHost.Packages.Tests.Rig;
using Xunit.Abstractions;

namespace NicHost.Packages.Tests.Templates;

[Collection(FeedCollection.Name)]
public sealed class DeviceTemplateTests(PackageFeed feed, ITestOutputHelper log)
{
    [Fact]
    public async Task Readme_leads_from_dotnet_new_to_a_NIC_that_answers_over_its_socket()
    {
        await using var author = await Author.MoveInAsync(feed);
        await using var tour = new ReadmeTour(author, "Cable", log);
        await tour.WalkAsync("nichost-device");

        Assert.Matches(@"Passed! .* Failed: +0, ", tour.Output("dotnet test"));
        Assert.Matches(@"(?m)^Cable 0\.1\.0 +active +1\.1 +device cable +-$", tour.Output("nichost plugins"));
        Assert.Contains("attached: no", tour.Output("nichost inspect"), StringComparison.Ordinal);
        using var guest = new StreamGuest(Path.Combine(tour.Project, "demo-eth0.sock"), MacAddress.Derive(new NicIdentity("demo", "eth0")));
        Assert.Equal("10.0.2.2", guest.AskWhoHas("10.0.2.2"));
        Assert.Contains("attached: yes", await author.RunAsync("$NICHOST/nichost inspect demo/eth0", tour.Project), StringComparison.Ordinal);
        Assert.Equal(0, await tour.StopAsync());
    }

    [RealGuestFact]
    public async Task Guest_under_QEMU_reaches_the_network_through_a_device_from_the_template()
    {
        await using var author = await Author.MoveInAsync(feed);
        await using var tour = new ReadmeTour(author, "Wire", log);
        await tour.WalkAsync("nichost-device");
        await using (var guest = await QemuGuest.BootAsync(tour.QemuHint, tour.Project))
        {
            var pings = await guest.RunAsync("ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up && ping -c 3 -i 0.2 -W 30 10.0.2.2");
            Assert.Contains("3 packets transmitted, 3 received", pings, StringComparison.Ordinal);
            Assert.Contains("attached: yes", await author.RunAsync("$NICHOST/nichost inspect demo/eth0", tour.Project), StringComparison.Ordinal);
        }
        Assert.Equal(0, await tour.StopAsync());
    }
}
