using System.Globalization;

namespace NicHost.Packages.Tests.Rig;

/// <summary>
/// The packages of this build, packed once for all tests, under versions that no cache has seen: 1.1.0-test.20261126…; what a plugin
/// author gets, from a folder.
/// </summary>
public sealed class PackageFeed : IAsyncLifetime
{
    private readonly string _home = Directory.CreateTempSubdirectory("nichost-feed-").FullName;

    /// <summary>The folder with the packages.</summary>
    public string Folder => Path.Combine(_home, "packages");

    /// <summary>What stands behind the dash of every version.</summary>
    public string Suffix { get; } = $"test.{TimeProvider.System.GetUtcNow().ToString("yyyyMMddHHmmssfff", CultureInfo.InvariantCulture)}";

    public string ContractsVersion => VersionOf("NicHost.Contracts");

    public string PackagesVersion => VersionOf("NicHost.Testing");

    /// <summary>The path of a package.</summary>
    public string PathOf(string id) => Directory.GetFiles(Folder, $"{id}.*.nupkg").Single(path => char.IsAsciiDigit(Path.GetFileName(path)[id.Length + 1]));

    public async Task InitializeAsync()
    {
        var properties = $"-p:NoBuild=true -p:VersionSuffix={Suffix} -p:PackageOutputPath={Folder} -p:NuspecOutputPath={_home}/nuspec/ -p:Configuration={Repository.Configuration}";
        await using var pack = Command.Start($"dotnet build host/Packages.proj --no-restore -v quiet -nologo {properties}", Repository.Root, AuthorEnvironment.Quiet);
        Assert.True(await pack.EndAsync() == 0, pack.Output);
    }

    public Task DisposeAsync()
    {
        Directory.Delete(_home, recursive: true);
        return Task.CompletedTask;
    }

    private string VersionOf(string id) => Path.GetFileNameWithoutExtension(PathOf(id))[(id.Length + 1)..];
}

/// <summary>The tests that share the packages.</summary>
[CollectionDefinition(Name)]
public sealed class FeedCollection : ICollectionFixture<PackageFeed>
{
    public const string Name = "feed";
}
