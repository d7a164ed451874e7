using NicHost.Packages.Tests.Rig;
using Xunit.Abstractions;

namespace NicHost.Packages.Tests.Templates;

[Collection(FeedCollection.Name)]
public sealed class EndpointTemplateTests(PackageFeed feed, ITestOutputHelper log)
{
    [Fact]
    public async Task Readme_leads_from_dotnet_new_to_a_guest_that_gets_its_pings_answered()
    {
        await using var author = await Author.MoveInAsync(feed);
        await using var tour = new ReadmeTour(author, "Acme.Echo", log);
        await tour.WalkAsync("nichost-endpoint");

        Assert.Matches(@"Passed! .* Failed: +0, ", tour.Output("dotnet test"));
        Assert.Contains($"Acme.Echo 0.1.0 -> {author.PluginRoot}/Acme.Echo/0.1.0", tour.Output("-t:Drop"), StringComparison.Ordinal);
        Assert.Matches(@"(?m)^Acme\.Echo 0\.1\.0 +active +1\.1 +endpoint acme-echo +-$", tour.Output("nichost plugins"));
        Assert.Contains("4 of 4 checks passed", tour.Output("nichost probe"), StringComparison.Ordinal);
        Assert.Contains("echoReplies: 3", tour.Output("nichost inspect"), StringComparison.Ordinal);
        Assert.Equal(0, await tour.StopAsync());
        Assert.Equal(["Acme.Echo.deps.json", "Acme.Echo.dll", "Acme.Echo.pdb", "NicHost.Wire.dll"], FilesIn(Path.Combine(author.PluginRoot, "Acme.Echo/0.1.0")));
    }

    private static IEnumerable<string> FilesIn(string folder) =>
        Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file)).Order(StringComparer.Ordinal);
}
