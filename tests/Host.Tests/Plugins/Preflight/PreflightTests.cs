using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using NicHost.Host.Plugins;
using NicHost.Host.Plugins.Preflight;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>What a folder's assemblies say of themselves, trap by trap.</summary>
public sealed class PreflightTests : IDisposable
{
    private static readonly string Here = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private readonly PluginRoot _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Sound_assembly_gives_its_manifest_and_nothing_is_loaded()
    {
        var manifest = Manifest(new SyntheticAssembly("P") { Kinds = [("B", "b"), ("A", "a")], ContractsVersion = "1.0.0.0", References = new Dictionary<string, string> { ["Q"] = "1.0.0.0" } },
            new SyntheticAssembly("Q") { Kinds = [], References = new Dictionary<string, string> { ["R"] = "1.0.0.0" } },
            new SyntheticAssembly("R") { Kinds = [] }, new SyntheticAssembly("Unused") { Kinds = [] });
        Assert.Equal(["a", "b"], manifest.EndpointKinds);
        Assert.Empty(manifest.DeviceKinds);
        Assert.Equal(new Version(1, 0, 0, 0), manifest.Contracts);
        Assert.Equal(["Q", "R"], manifest.Dependencies);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name is "P" or "Q" or "R");
    }

    [Theory]
    [InlineData("NicHost.Contracts", "1.9.0.0", "It was built against NicHost.Contracts 1.9, this host has 1.1. Build it against 1.1 or older, or take a newer host.")]
    [InlineData("NicHost.Contracts", "2.0.0.0", "It was built against NicHost.Contracts 2.0, this host has 1.1, another major version. Build it against 1.x.")]
    [InlineData("NicHost.Contracts", "0.9.0.0", "It was built against NicHost.Contracts 0.9, this host has 1.1, another major version. Build it against 1.x.")]
    [InlineData("System.Composition.AttributedModel", "11.0.0.0", "It was built against System.Composition.AttributedModel 11.0, this host has 10.0, another major version. Build it against 10.x.")]
    [InlineData("Microsoft.Extensions.Logging.Abstractions", "10.1.0.0", "It was built against Microsoft.Extensions.Logging.Abstractions 10.1, this host has 10.0. Build it against 10.0 or older, or take a newer host.")]
    [InlineData("Microsoft.Extensions.DependencyInjection.Abstractions", "9.0.0.0", "It was built against Microsoft.Extensions.DependencyInjection.Abstractions 9.0, this host has 10.0, another major version. Build it against 10.x.")]
    public void Shared_assembly_of_a_version_that_does_not_fit_is_refused(string shared, string version, string refusal)
    {
        var plugin = new SyntheticAssembly("P");
        Assert.Equal(refusal.Replace("host has 1.1", $"host has {SharedAssemblies.Host.Find("NicHost.Contracts")!.ToString(2)}", StringComparison.Ordinal)
            .Replace("against 1.1", $"against {SharedAssemblies.Host.Find("NicHost.Contracts")!.ToString(2)}", StringComparison.Ordinal),
            Refusal(shared == "NicHost.Contracts" ? plugin with { ContractsVersion = version } : plugin with { References = new Dictionary<string, string> { [shared] = version } }));
    }

    [Fact]
    public void Dependency_is_held_to_the_same_versions_as_the_plugin() => Assert.Equal(
        "Q.dll was built against Microsoft.Extensions.Logging.Abstractions 11.0, this host has 10.0, another major version. Build it against 10.x.",
        Refusal(new SyntheticAssembly("P") { References = new Dictionary<string, string> { ["Q"] = "1.0.0.0" } },
            new SyntheticAssembly("Q") { Kinds = [], References = new Dictionary<string, string> { ["Microsoft.Extensions.Logging.Abstractions"] = "11.0.0.0" } }));

    [Fact]
    public void Missing_dependencies_are_named_with_those_who_want_them() => Assert.Equal(
        "A.dll, B.dll are missing, wanted by P.dll, Q.dll. Put the plugin's whole build output there; <EnableDynamicLoading>true</EnableDynamicLoading> in its project adds the dependencies.",
        Refusal(new SyntheticAssembly("P") { References = new Dictionary<string, string> { ["Q"] = "1.0.0.0", ["B"] = "1.0.0.0" } },
            new SyntheticAssembly("Q") { Kinds = [], References = new Dictionary<string, string> { ["A"] = "1.0.0.0", ["B"] = "1.0.0.0" } }));

    [Fact]
    public void What_the_host_has_for_itself_is_missing_to_a_plugin() =>
        Assert.StartsWith("System.CommandLine.dll is missing", Refusal(new SyntheticAssembly("P") { References = new Dictionary<string, string> { ["System.CommandLine"] = "2.0.0.0" } }), StringComparison.Ordinal);

    [Fact]
    public void Older_dependency_than_the_plugin_was_built_against_is_refused() => Assert.Equal(
        "It was built against Q 2.0.0.0, but Q.dll in its folder is 1.0.0.0. Put the plugin's whole build output there.",
        Refusal(new SyntheticAssembly("P") { References = new Dictionary<string, string> { ["Q"] = "2.0.0.0" } }, new SyntheticAssembly("Q") { Kinds = [] }));

    [Theory]
    [InlineData(".NETCoreApp,Version=v11.0", "It is built for .NET 11.0, this host runs on .NET 10.0. Build it for net10.0.")]
    [InlineData(".NETFramework,Version=v4.8", "It is built for .NETFramework 4.8. Build it for net10.0.")]
    [InlineData(".NETStandard,Version=v2.0", "It is built for .NETStandard 2.0. Build it for net10.0.")]
    public void Framework_that_is_not_the_hosts_is_refused(string framework, string refusal) => Assert.Equal(refusal, Refusal(new SyntheticAssembly("P") { Framework = framework }));

    [Theory]
    [InlineData(".NETCoreApp,Version=v8.0")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public void Older_framework_and_none_at_all_are_taken(string? framework) => Manifest(new SyntheticAssembly("P") { Framework = framework });

    [Fact]
    public void Reference_to_a_newer_framework_is_refused_whatever_the_assembly_says_of_itself() => Assert.Equal(
        "It was built against System.Runtime 11.0, this host's .NET has 10.0. Build it for net10.0.", Refusal(new SyntheticAssembly("P") { RuntimeVersion = "11.0.0.0" }));

    [Fact]
    public void Platform_that_is_not_the_hosts_is_refused()
    {
        Assert.Equal("It is built for Windows. Build it for net10.0.", Refusal(new SyntheticAssembly("P") { Platform = "Windows7.0" }));
        Manifest(new SyntheticAssembly("P") { Platform = "Linux" });
    }

    [Fact]
    public void Machine_that_is_not_the_hosts_is_refused()
    {
        var (here, there, name) = Here == "x64" ? (Machine.Amd64, Machine.Arm64, "arm64") : (Machine.Arm64, Machine.Amd64, "x64");
        Manifest(new SyntheticAssembly("P") { Machine = here });
        // As the ahead-of-time compiler marks it for Linux.
        Manifest(new SyntheticAssembly("P") { Machine = (Machine)((ushort)here ^ 0x7B79), Flags = CorFlags.ILLibrary });
        Assert.Equal($"P.dll is built for {name}, this host runs on {Here}. Build it for any CPU.", Refusal(new SyntheticAssembly("P") { Machine = there }));
        Assert.Equal($"P.dll is built for {name}, this host runs on {Here}. Build it for any CPU.", Refusal(new SyntheticAssembly("P") { Machine = (Machine)((ushort)there ^ 0x7B79), Flags = CorFlags.ILLibrary }));
        Assert.Equal("P.dll is built for 32 bits. Build it for any CPU.", Refusal(new SyntheticAssembly("P") { Flags = CorFlags.ILOnly | CorFlags.Requires32Bit }));
        Assert.Equal("P.dll holds Windows machine code. Build it as pure .NET.", Refusal(new SyntheticAssembly("P") { Flags = 0 }));
    }

    [Fact]
    public void Assembly_without_a_kind_is_refused() => Assert.Equal(
        "It exports no kind. Mark a factory with [DeviceKind] or [EndpointKind] of the host's NicHost.Contracts.", Refusal(new SyntheticAssembly("P") { Kinds = [] }));

    [Fact]
    public void Export_for_the_other_MEF_is_refused_also_beside_a_good_one() => Assert.EndsWith(
        "Stranger is exported for System.ComponentModel.Composition, which this host does not read. Mark the factory with [DeviceKind] or [EndpointKind] alone.",
        Refusal(new SyntheticAssembly("P") { Strangers = ["Stranger"] }), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("Upper")]
    [InlineData("with@version")]
    [InlineData("white space")]
    public void Kind_that_no_topology_can_name_is_refused(string kind) => Assert.Equal(
        $"\"{kind}\" of Factory is no kind. Use lower case letters, digits and dashes.", Refusal(new SyntheticAssembly("P") { Kinds = [("Factory", kind)] }));

    [Fact]
    public void Two_factories_of_one_kind_are_refused() => Assert.Equal(
        "A and B have the same endpoint kind \"k\". Give each its own.", Refusal(new SyntheticAssembly("P") { Kinds = [("A", "k"), ("B", "k")] }));

    [Theory]
    [InlineData("NicHost.Contracts", "the host shares its own")]
    [InlineData("System.Composition.Runtime", "the host shares its own")]
    [InlineData("Microsoft.Extensions.Logging.Abstractions", "the host shares its own")]
    [InlineData("System.Text.Json", "it belongs to .NET, and the contracts are made of its types")]
    public void Copy_of_what_is_shared_is_refused(string name, string why) =>
        Assert.Contains($"{name}.dll is in its folder, but {why}. Reference it with ExcludeAssets=\"runtime\"", Refusal(new SyntheticAssembly("P"), new SyntheticAssembly(name) { Kinds = [] }), StringComparison.Ordinal);

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var refusal = Refusal(new SyntheticAssembly("P") { Framework = ".NETFramework,Version=v4.8", Kinds = [], References = new Dictionary<string, string> { ["A"] = "1.0.0.0" } });
        Assert.Contains(".NETFramework", refusal, StringComparison.Ordinal);
        Assert.Contains("A.dll is missing", refusal, StringComparison.Ordinal);
        Assert.Contains("It exports no kind", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void File_that_is_cut_off_anywhere_is_refused()
    {
        var whole = new SyntheticAssembly("P").Build();
        for (var length = 0; length < whole.Length; length += 7)
        {
            _root.Write("P/1.0.0/P.dll", whole.AsSpan(0, length));
            var refusal = PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null).Refusal;
            Assert.True(refusal is not null && (refusal.StartsWith("P.dll is cut off", StringComparison.Ordinal) || refusal.StartsWith("P.dll is no .NET assembly", StringComparison.Ordinal)), $"{length}: {refusal}");
        }
    }

    [Fact]
    public void File_of_any_bytes_is_refused_and_does_no_harm()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var whole = new SyntheticAssembly("P").Build();
        for (var i = 0; i < 300; i++)
        {
            var bytes = whole.ToArray();
            for (var j = random.Next(1, 30); j > 0; j--) bytes[random.Next(2, bytes.Length)] = (byte)random.Next(256);
            _root.Write("P/1.0.0/P.dll", bytes);
            // Refused or taken, but no other exception than those for bad metadata.
            var (manifest, refusal) = PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null);
            Assert.True(manifest is not null != refusal is not null, $"seed {seed}, round {i}");
        }
    }

    [Fact]
    public void Folder_of_several_plugins_is_refused()
    {
        foreach (var name in new[] { "A", "B" })
        {
            _root.Write($"P/1.0.0/{name}.dll", new SyntheticAssembly(name).Build());
            _root.Write($"P/1.0.0/{name}.deps.json", "{}"u8);
        }
        Assert.Equal("Several plugins: A.deps.json, B.deps.json. Give each a folder of its own.", PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null).Refusal);
    }

    private PluginManifest Manifest(params SyntheticAssembly[] assemblies)
    {
        var (manifest, refusal) = Check(assemblies);
        Assert.True(manifest is not null, refusal);
        return manifest;
    }

    private string Refusal(params SyntheticAssembly[] assemblies) => Check(assemblies).Refusal ?? "not refused";

    private (PluginManifest? Manifest, string? Refusal) Check(SyntheticAssembly[] assemblies)
    {
        foreach (var assembly in assemblies) _root.Write($"P/1.0.0/{assembly.Name}.dll", assembly.Build());
        return PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null);
    }
}
