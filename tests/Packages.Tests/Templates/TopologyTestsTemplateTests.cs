using NicHost.Packages.Tests.Rig;

namespace NicHost.Packages.Tests.Templates;

/// <summary>A user's own topology under a snapshot test, from <c>dotnet new</c> on.</summary>
[Collection(FeedCollection.Name)]
public sealed class TopologyTestsTemplateTests(PackageFeed feed)
{
    [Fact]
    public async Task Accepted_topology_passes_and_a_changed_or_faulty_one_fails_with_what_differs()
    {
        await using var author = await Author.MoveInAsync(feed);
        await author.NewAsync("nichost-topology-tests", "Lab.Topology");
        var project = Path.Combine(author.Work, "Lab.Topology");
        var (topology, received) = (Path.Combine(project, "topology.json"), Path.Combine(project, "TopologyTests.Production.received.txt"));

        var commands = ReadmeCommands.Of(Path.Combine(project, "README.md"));
        Assert.Equal(["dotnet test", "mv", "dotnet test"], commands.Select(line => line.StartsWith("mv ", StringComparison.Ordinal) ? "mv" : line));
        var first = await author.FailAsync(commands[0], project);
        Assert.Contains("Nothing is accepted yet of what this topology comes to.", first, StringComparison.Ordinal);
        Assert.Contains("forwards:", first, StringComparison.Ordinal);
        Assert.StartsWith("host\n", await File.ReadAllTextAsync(received), StringComparison.Ordinal);

        await author.RunAsync(commands[1], project);
        Assert.Matches(@"Passed! .* Failed: +0, ", await author.RunAsync(commands[2], project));
        Assert.False(File.Exists(received));

        await EditAsync(topology, "\"/tmp/web-eth0.sock\"", "\"/tmp/web-eth0.sock\", \"queues\": 2");
        var changed = await author.FailAsync("dotnet test --no-build", project);
        Assert.Contains("-     queues: 1", changed, StringComparison.Ordinal);
        Assert.Contains("+     queues: 2", changed, StringComparison.Ordinal);
        Assert.Contains("web/eth0", changed, StringComparison.Ordinal);
        Assert.DoesNotContain("forwards:", changed, StringComparison.Ordinal);
        Assert.Contains("    queues: 2\n", await File.ReadAllTextAsync(received), StringComparison.Ordinal);

        await EditAsync(topology, "\"queues\": 2", "\"queus\": 2");
        var faulty = await author.FailAsync("dotnet test --no-build", project);
        Assert.Contains("topology.json has faults:", faulty, StringComparison.Ordinal);
        Assert.Contains("$.vms.web.nics.eth0.device.queus: \"queus\" is not a member. Did you mean \"queues\"?", faulty, StringComparison.Ordinal);

        // As a build server maps source paths.
        await EditAsync(topology, ", \"queus\": 2", "");
        Assert.Matches(@"Passed! .* Failed: +0, ", await author.RunAsync($"dotnet test -p:PathMap={project}=/_/elsewhere", project));
    }

    private static async Task EditAsync(string path, string from, string to)
    {
        var text = await File.ReadAllTextAsync(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace(from, to, StringComparison.Ordinal));
    }
}
