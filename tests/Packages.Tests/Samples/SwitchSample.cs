using NicHost.Packages.Tests.Rig;

namespace NicHost.Packages.Tests.Samples;

/// <summary><c>samples/plugins</c> in a place where there is nothing of the repository but the packages.</summary>
internal sealed class SwitchSample
{
    private readonly Author _author;
    private readonly string _versions;

    private SwitchSample(Author author, string versions) => (_author, _versions) = (author, versions);

    private string Folder => Path.Combine(_author.Work, "samples/plugins");

    /// <summary>Copies it; its own nuget.config leads to the feed.</summary>
    public static SwitchSample Copy(Author author, PackageFeed feed)
    {
        var sample = new SwitchSample(author, $"-p:ContractsVersion={feed.ContractsVersion} -p:PackagesVersion={feed.PackagesVersion}");
        Author.Copy(Repository.PathOf("samples/plugins"), sample.Folder);
        // Where the repository has them: ../../artifacts/packages.
        Directory.CreateDirectory(Path.Combine(author.Work, "artifacts"));
        Directory.CreateSymbolicLink(Path.Combine(author.Work, "artifacts/packages"), feed.Folder);
        return sample;
    }

    /// <summary>Builds everything and runs its tests.</summary>
    /// <returns>What was printed.</returns>
    public Task<string> TestAsync() => _author.RunAsync($"dotnet test Switch.slnx {_versions}", Folder);

    /// <summary>Builds the plugin and renames its folder into the root of the author's host.</summary>
    public Task DropAsync() => _author.RunAsync($"dotnet build Switch -t:Drop -p:PluginRoot={_author.PluginRoot} {_versions}", Folder);
}
