using NicHost.Host.Commands;
using NicHost.Host.Plugins;
using VerifyXunit;

namespace NicHost.Host.Tests.Plugins;

public sealed class CatalogTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nichost-catalog-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public Task Root_with_broken_folders_still_gives_the_good_ones()
    {
        Directory.CreateDirectory(Path.Combine(_root, "A-Empty/1.0.0"));
        Write("B-Garbage/1.0.0/NicHost.B-Garbage.dll", "this is no assembly"u8);
        Copy($"bin/ThrowsInConstructor/{Repository.Configuration}", "C-Throws/1.0.0");
        Copy(Newest("Consomme"), "D-ShipsContracts/1.0.0");
        Write("D-ShipsContracts/1.0.0/NicHost.Contracts.dll", "any"u8);
        Copy(Newest("Consomme"), "E-Good/1.0.0");
        Copy(Newest("Consomme"), "F-SameKind/1.0.0");
        File.Copy(typeof(NicHost.Linux.Fd).Assembly.Location, Path.Combine(Directory.CreateDirectory(Path.Combine(_root, "G-NoExport")).FullName, "G-NoExport.dll"));

        return Verifier.Verify(PluginsCommand.Render(PluginCatalog.Load([_root, Path.Combine(_root, "missing")])).Replace(_root, "ROOT", StringComparison.Ordinal));
    }

    [Fact]
    public void Highest_version_of_a_plugin_is_taken()
    {
        foreach (var version in new[] { "1.9.0", "1.10.0-beta.1", "1.10.0-alpha", "1.2.0", "notes" }) Directory.CreateDirectory(Path.Combine(_root, "P", version));
        Assert.Equal(["1.10.0-beta.1", "1.10.0-alpha", "1.9.0", "1.2.0"], PluginFolder.Scan(_root).Select(folder => folder.Version));
    }

    [Fact]
    public void Earlier_root_wins_a_kind()
    {
        Copy(Newest("Consomme"), "Mine");
        var catalog = PluginCatalog.Load([_root, PluginRoots.Default]);
        Assert.Equal("Mine", catalog.Endpoints["consomme"].Plugin.Name);
        Assert.Equal(PluginStatus.Refused, catalog.Plugins.Single(p => p.Name == "Consomme").Status);
    }

    [Fact]
    public void Plugin_sees_the_hosts_contracts_and_its_own_linux()
    {
        var factory = PluginCatalog.Load([PluginRoots.Default]).Endpoints["consomme"].Factory;
        var context = System.Runtime.Loader.AssemblyLoadContext.GetLoadContext(factory.GetType().Assembly)!;
        Assert.NotSame(System.Runtime.Loader.AssemblyLoadContext.Default, context);
        Assert.False(context.IsCollectible);
        Assert.DoesNotContain(context.Assemblies, a => a.GetName().Name == "NicHost.Contracts");
    }

    private static string Newest(string plugin) => Path.GetRelativePath(Artifacts, PluginFolder.Scan(PluginRoots.Default).Single(f => f.Name == plugin).Path);

    private static string Artifacts => Repository.File("artifacts");

    private void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes.ToArray());
    }

    private void Copy(string from, string to)
    {
        var target = Directory.CreateDirectory(Path.Combine(_root, to)).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Artifacts, from))) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
    }
}
