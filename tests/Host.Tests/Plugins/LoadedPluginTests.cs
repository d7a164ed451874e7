using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Host.Plugins;
using NicHost.Host.Plugins.Preflight;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Host.Tests.Plugins;

/// <summary>What runs of a plugin that was loaded: its own dependencies, whatever others have.</summary>
public sealed class LoadedPluginTests : IDisposable
{
    private const string Crc32OfDigits = "cbf43926";

    private readonly PluginRoot _root = new();
    private readonly EventLoop _loop = new("plugins");

    public void Dispose()
    {
        _loop.Dispose();
        _root.Dispose();
    }

    [Fact]
    public void Two_plugins_run_side_by_side_each_with_its_own_version_of_a_dependency()
    {
        _root.Drop(PluginRoot.Output("DependencyV1"), "DependencyV1/1.0.0");
        _root.Drop(PluginRoot.Output("DependencyV2"), "DependencyV2/1.0.0");
        var catalog = _root.Load();
        Assert.Equal("one, from 1.0.0.0", Label(catalog.Endpoint("vm", "dependency-v1")));
        Assert.Equal("two, from 2.0.0.0", Label(catalog.Endpoint("vm", "dependency-v2")));
    }

    [Theory]
    [InlineData("libtestnative.so")]
    [InlineData("testnative.so")]
    [InlineData("runtimes/RID/native/libtestnative.so")]
    [InlineData("runtimes/linux/native/libtestnative.so")]
    public void Native_library_is_found_beside_the_plugin_and_below_runtimes(string path)
    {
        var folder = _root.Drop(PluginRoot.Output("NativeDependency"), "NativeDependency/1.0.0");
        Put(folder, path);
        Assert.Equal(Crc32OfDigits, Label(_root.Load().Endpoint("vm", "native-dependency")));
    }

    [Fact]
    public void Native_library_that_a_package_brought_is_found_by_the_manifest()
    {
        var folder = _root.Drop(PluginRoot.Output("NativeDependency"), "NativeDependency/1.0.0");
        var path = $"runtimes/{RuntimeIds.Here}/native/libtestnative.so";
        var manifest = Path.Combine(folder, "NativeDependency.deps.json");
        var json = JsonNode.Parse(File.ReadAllText(manifest))!;
        json["targets"]!.AsObject().Single().Value!["Native/1.0.0"] = new JsonObject
        {
            ["runtimeTargets"] = new JsonObject { [path] = new JsonObject { ["rid"] = RuntimeIds.Here, ["assetType"] = "native", ["fileVersion"] = "0.0.0.0" } },
        };
        json["libraries"]!["Native/1.0.0"] = new JsonObject { ["type"] = "package", ["serviceable"] = true, ["sha512"] = "" };
        File.WriteAllText(manifest, json.ToJsonString());
        Assert.Contains("half-copied", _root.Load().Plugins[^1].Reason, StringComparison.Ordinal);
        Put(folder, path);
        Assert.Equal(Crc32OfDigits, Label(_root.Load().Endpoint("vm", "native-dependency")));
    }

    private static void Put(string folder, string path)
    {
        var target = Path.Combine(folder, path.Replace("RID", RuntimeIds.Here, StringComparison.Ordinal));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.IO.Compression.Native.so"), target);
    }

    private string? Label(PluginKind<IEndpointFactory>? kind)
    {
        Assert.NotNull(kind);
        var writer = new InspectWriter("endpoint");
        kind.Factory.Create(TestNic.EndpointContext(_loop, $$"""{ "kind": "{{kind.Kind}}" }""")).Inspect(writer);
        return writer.Root.Children.Single(node => node.Name == "label").Value as string;
    }
}
