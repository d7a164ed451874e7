using NicHost.Packages.Tests.Rig;

namespace NicHost.Packages.Tests.Packing;

/// <summary>What the reference to NicHost.Contracts alone does to a plugin's project.</summary>
[Collection(FeedCollection.Name)]
public sealed class BuildLogicTests(PackageFeed feed) : IAsyncLifetime
{
    private readonly Author _author = Author.OfPackages(feed);

    private string Folder => Path.Combine(_author.Work, "Tiny");

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        await File.WriteAllTextAsync(Path.Combine(Folder, "nuget.config"), $"""
            <configuration><packageSources><add key="NicHost" value="{feed.Folder}" /></packageSources></configuration>
            """);
        await File.WriteAllTextAsync(Path.Combine(Folder, "Tiny.cs"), """
            using NicHost.Contracts.Endpoints;
            [EndpointKind("tiny")]
            public sealed class Tiny(Microsoft.Extensions.Options.IOptions<string>? held) { public override string ToString() => $"{held}"; }
            """);
    }

    [Fact]
    public async Task Shared_assemblies_stay_with_the_host_whoever_refers_to_them()
    {
        // This one refers to Microsoft.Extensions.DependencyInjection.Abstractions.
        Write("""<PackageReference Include="Microsoft.Extensions.Options" Version="10.0.15" />""");
        await _author.RunAsync("dotnet build -v quiet", Folder);
        var output = Path.Combine(Folder, "bin/Debug/net10.0");
        Assert.Equal(["Microsoft.Extensions.Options.dll", "Microsoft.Extensions.Primitives.dll", "Tiny.dll"], Directory.GetFiles(output, "*.dll").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var manifest = await File.ReadAllTextAsync(Path.Combine(output, "Tiny.deps.json"));
        Assert.DoesNotContain("NicHost.Contracts.dll", manifest, StringComparison.Ordinal);
        Assert.DoesNotContain("DependencyInjection.Abstractions.dll", manifest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shared_assembly_that_would_ship_fails_the_build_with_the_remedy()
    {
        Write($"""
            <PackageReference Include="Microsoft.Extensions.Options" Version="10.0.15" />
            <None Include="{typeof(System.Composition.ExportAttribute).Assembly.Location}" CopyToOutputDirectory="Always" Link="System.Composition.AttributedModel.dll" />
            """);
        var output = await FailAsync("dotnet build -v quiet");
        Assert.Contains("error NICHOST001: System.Composition.AttributedModel.dll must not be in the folder of plugin Tiny", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Drop_puts_a_version_into_a_root_once_and_leaves_nothing_else_there()
    {
        Write("""<PackageReference Include="Microsoft.Extensions.Options" Version="10.0.15" />""");
        Assert.Contains("error NICHOST002", await FailAsync("dotnet build -v quiet -t:Drop"), StringComparison.Ordinal);
        await _author.RunAsync("dotnet build --no-restore -v quiet -t:Drop -p:PluginRoot=root", Folder);
        await _author.RunAsync("dotnet build --no-restore -v quiet -t:Drop -p:PluginRoot=root -p:Version=1.0.1-beta.2", Folder);
        var again = await FailAsync("dotnet build --no-restore -v quiet -t:Drop -p:PluginRoot=root");
        Assert.Contains($"error NICHOST003: {Folder}/root/Tiny/1.0.0 is there already", again, StringComparison.Ordinal);
        Assert.Equal(["Tiny"], Names(Path.Combine(Folder, "root")));
        Assert.Equal(["1.0.0", "1.0.1-beta.2"], Names(Path.Combine(Folder, "root/Tiny")));
        Assert.Contains("Tiny.deps.json", Names(Path.Combine(Folder, "root/Tiny/1.0.0")));
    }

    public async Task DisposeAsync() => await _author.DisposeAsync();

    private static IEnumerable<string?> Names(string folder) => Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal);

    private void Write(string items) => File.WriteAllText(Path.Combine(Folder, "Tiny.csproj"), $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup><TargetFramework>net10.0</TargetFramework><Nullable>enable</Nullable></PropertyGroup>
          <ItemGroup>
            <PackageReference Include="NicHost.Contracts" Version="{feed.ContractsVersion}" />
            {items}
          </ItemGroup>
        </Project>
        """);

    private async Task<string> FailAsync(string line)
    {
        await using var command = _author.Start(line, Folder);
        Assert.Equal(1, await command.EndAsync());
        return command.Output;
    }
}
