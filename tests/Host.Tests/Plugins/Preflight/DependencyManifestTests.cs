using System.Text;
using NicHost.Host.Plugins;
using NicHost.Host.Plugins.Preflight;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>Folders against what their .deps.json lists.</summary>
public sealed class DependencyManifestTests : IDisposable
{
    private readonly PluginRoot _root = new();

    public DependencyManifestTests() => _root.Write("P/1.0.0/P.dll", new SyntheticAssembly("P").Build());

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Half_copied_folder_is_refused_with_what_it_lacks()
    {
        var listed = """
            "P/1.0.0": { "runtime": { "P.dll": {} } },
            "Q/2.0.0": { "runtime": { "lib/net8.0/Q.dll": {} }, "resources": { "lib/net8.0/de/Q.resources.dll": { "locale": "de" } } },
            "N/1.0.0": { "runtimeTargets": { "runtimes/RID/native/libn.so": { "rid": "RID", "assetType": "native" }, "runtimes/win-x64/native/n.dll": { "rid": "win-x64", "assetType": "native" } } },
            "Empty/1.0.0": { "runtime": { "lib/netstandard2.0/_._": {} } }
            """;
        Assert.Equal($"P.deps.json lists Q.dll, de/Q.resources.dll, runtimes/{RuntimeIds.Here}/native/libn.so, which are not there: the folder is half-copied. {PluginPreflight.CopyAgain}", Refusal(listed));
        _root.Write("P/1.0.0/Q.dll", new SyntheticAssembly("Q") { Kinds = [] }.Build());
        _root.Write("P/1.0.0/de/Q.resources.dll", new SyntheticAssembly("Q.resources") { Kinds = [] }.Build());
        Assert.Equal($"P.deps.json lists runtimes/{RuntimeIds.Here}/native/libn.so, which is not there: the folder is half-copied. {PluginPreflight.CopyAgain}", Refusal(listed));
        _root.Write($"P/1.0.0/runtimes/{RuntimeIds.Here}/native/libn.so", new SyntheticLibrary().Build());
        Assert.Null(Refusal(listed));
    }

    [Fact]
    public void Plugin_whose_own_assembly_has_not_come_yet_is_refused()
    {
        File.Delete(_root.At("P/1.0.0/P.dll"));
        Assert.StartsWith("P.deps.json lists P.dll, which is not there: the folder is half-copied.", Refusal("""
            "P/1.0.0": { "runtime": { "P.dll": {} } }
            """), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"runtimeTarget\": { \"name\": \"x\" }, \"targ")]
    [InlineData("{ \"runtimeTarget\": { \"name\": \"x\" }, \"targets\": {} }")]
    [InlineData("{ \"runtimeTarget\": 1 }")]
    [InlineData("[]")]
    public void Manifest_that_is_none_is_refused(string text)
    {
        _root.Write("P/1.0.0/P.deps.json", Encoding.UTF8.GetBytes(text));
        Assert.Equal($"P.deps.json cannot be read as such a file: it may be cut off. {PluginPreflight.CopyAgain}", Check());
    }

    [Fact]
    public void Native_libraries_for_other_machines_only_are_told() => Assert.Equal(
        $"N/1.0.0 has native libraries for osx-arm64, win-x64, none for {RuntimeIds.Here}. Take a plugin that is built for this machine.",
        Refusal("""
            "P/1.0.0": { "runtime": { "P.dll": {} } },
            "N/1.0.0": { "runtimeTargets": { "runtimes/win-x64/native/n.dll": { "rid": "win-x64", "assetType": "native" }, "runtimes/osx-arm64/native/libn.dylib": { "rid": "osx-arm64", "assetType": "native" } } }
            """));

    [Fact]
    public void Assembly_below_runtimes_is_looked_at_too()
    {
        _root.Write("P/1.0.0/runtimes/unix/lib/net8.0/Q.dll", new SyntheticAssembly("Q") { Kinds = [], References = new Dictionary<string, string> { ["Missing"] = "1.0.0.0" } }.Build());
        Assert.StartsWith("Missing.dll is missing, wanted by Q.dll.", Refusal("""
            "P/1.0.0": { "runtime": { "P.dll": {} } },
            "Q/1.0.0": { "runtimeTargets": { "runtimes/unix/lib/net8.0/Q.dll": { "rid": "unix", "assetType": "runtime" } } }
            """), StringComparison.Ordinal);
    }

    private string? Refusal(string libraries)
    {
        var text = $$"""{ "runtimeTarget": { "name": ".NETCoreApp,Version=v10.0" }, "targets": { ".NETCoreApp,Version=v10.0": { {{libraries}} } } }""";
        _root.Write("P/1.0.0/P.deps.json", Encoding.UTF8.GetBytes(text.Replace("RID", RuntimeIds.Here, StringComparison.Ordinal)));
        return Check();
    }

    private string? Check() => PluginPreflight.Check(new PluginFolder("P", "1.0.0", _root.At("P/1.0.0")), null).Refusal;
}
