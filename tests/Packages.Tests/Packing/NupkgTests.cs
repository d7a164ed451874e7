using System.Reflection;
using System.Text;
using System.Xml.Linq;
using NicHost.Contracts.Devices;
using NicHost.Packages.Tests.Rig;
using VerifyXunit;

namespace NicHost.Packages.Tests.Packing;

[Collection(FeedCollection.Name)]
public sealed class NupkgTests(PackageFeed feed)
{
    private static readonly string[] Libraries = ["NicHost.Contracts", "NicHost.Linux", "NicHost.Loops", "NicHost.Testing", "NicHost.Testing.Snapshots", "NicHost.Wire"];

    [Fact]
    public Task Packages_hold_and_need_what_is_written_here()
    {
        var text = new StringBuilder();
        foreach (var path in Directory.GetFiles(feed.Folder).Order(StringComparer.Ordinal))
        {
            using var package = new Nupkg(path);
            text.Append(Path.GetFileName(path).Replace($"-{feed.Suffix}", "", StringComparison.Ordinal)).Append('\n');
            foreach (var file in package.Files) text.Append("  ").Append(file).Append('\n');
            if (path.EndsWith(".snupkg", StringComparison.Ordinal)) continue;
            foreach (var needed in package.Dependencies) text.Append("  needs ").Append(needed).Append('\n');
        }
        return Verifier.Verify(text.ToString());
    }

    [Fact]
    public void Package_names_licence_and_readme_but_no_repository_and_no_path_of_this_machine()
    {
        foreach (var id in Libraries)
        {
            using var package = new Nupkg(feed.PathOf(id));
            var metadata = package.Metadata.Elements().ToDictionary(e => e.Name.LocalName, e => e.Value);
            Assert.Equal(("MIT", "README.md"), (metadata["license"], metadata["readme"]));
            Assert.DoesNotContain("repository", metadata.Keys);
            Assert.Equal(-1, package.Bytes($"lib/net10.0/{id}.dll").AsSpan().IndexOf(Encoding.UTF8.GetBytes(Repository.Root)));
            Assert.NotEmpty(XDocument.Parse(package.Text($"lib/net10.0/{id}.xml")).Descendants("member"));
        }
    }

    [Fact]
    public void Templates_ask_for_the_versions_that_were_packed_with_them()
    {
        using var package = new Nupkg(feed.PathOf("NicHost.Templates"));
        var projects = package.Files.Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)).ToArray();
        Assert.Equal(5, projects.Length);
        foreach (var reference in projects.SelectMany(file => XDocument.Parse(package.Text(file)).Descendants("PackageReference")))
        {
            var (id, version) = (reference.Attribute("Include")!.Value, reference.Attribute("Version")!.Value);
            if (id == "NicHost.Contracts") Assert.Equal(feed.ContractsVersion, version);
            else if (id.StartsWith("NicHost.", StringComparison.Ordinal)) Assert.Equal(feed.PackagesVersion, version);
            else Assert.DoesNotMatch("^0.0.0", version);
        }
    }

    /// <summary>What the build logic leaves to the host is what the host shares: the contracts and all that they refer to, no more, no less.</summary>
    [Fact]
    public void Shared_assemblies_of_the_build_logic_are_the_closure_of_the_contracts()
    {
        using var package = new Nupkg(feed.PathOf("NicHost.Contracts"));
        var listed = XDocument.Parse(package.Text("build/NicHost.Contracts.targets")).Descendants("NicHostSharedAssembly").Select(e => e.Attribute("Include")!.Value);
        var closure = new SortedSet<string>(StringComparer.Ordinal);
        Add(typeof(IDevice).Assembly);
        Assert.Equal(closure, listed.Order(StringComparer.Ordinal));

        void Add(Assembly assembly)
        {
            if (IsOfTheFramework(assembly) || !closure.Add(assembly.GetName().Name!)) return;
            foreach (var name in assembly.GetReferencedAssemblies()) Add(Assembly.Load(name));
        }
    }

    private static bool IsOfTheFramework(Assembly assembly) => Path.GetDirectoryName(assembly.Location) == Path.GetDirectoryName(typeof(object).Assembly.Location);
}
