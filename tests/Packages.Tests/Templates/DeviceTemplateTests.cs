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
}
