using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Dio.Tests.Rig;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Tests.Doubles;
using NicHost.Host.Tests.Topology;
using NicHost.Probe.Checks;

namespace NicHost.Host.Tests.Plugins;

/// <summary>Plugins that were really used go away for good: nothing of the host's, and nothing of theirs, holds on to their load contexts.</summary>
public sealed class UnloadTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-unload-").FullName;
    private readonly PluginRoot _root = new();
    private readonly FakeTimeProvider _time = new();
    private readonly LogList _logs = new();

    private string Socket => Path.Combine(_folder, "nic.sock");

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("virtio", false)]
    [InlineData("netvsp", true)]
    public async Task Device_and_NAT_that_served_a_guest_are_unloaded(string device, bool isVmbus)
    {
        var plugins = Unloadable(PluginRoots.Default);
        await using var host = Host(plugins);
        await UseAsync(host, plugins, $$"""{ "kind": "{{device}}", "socket": "{{Socket}}" }""", """{ "kind": "consomme", "hostLoopback": true }""", async nic =>
        {
            using var output = new StringWriter();
            var target = new ProbeTarget { Name = "vm/nic", Socket = Socket, Mac = nic.Model.Mac, HostLoopback = true, IsVmbus = isVmbus };
            Assert.True(await ProbeCommand.RunAsync(target, output, CancellationToken.None) == 0, output.ToString());
        });
        await GoneAsync(plugins, isVmbus ? "NetVsp" : "Virtio", "Consomme");
    }

    [NamespaceFact]
    public void Switch_port_that_was_made_and_removed_is_unloaded() => NetWorld.Run("", () =>
    {
        var plugins = Unloadable(PluginRoots.Default);
        // Its loops are threads of this one's namespace.
        using var host = new OnThisThread(Host(plugins));
        UseAsync(host.Runtime, plugins, $$"""{ "kind": "virtio", "socket": "{{Socket}}" }""",
            """{ "kind": "dio", "switch": { "name": "br0", "create": true }, "nic": { "name": "nh0", "create": true } }""",
            nic =>
            {
                Assert.True(nic.Link.IsUp);
                return Task.CompletedTask;
            }).GetAwaiter().GetResult();
        GoneAsync(plugins, "Dio").GetAwaiter().GetResult();
    });

    [Fact]
    public async Task Plugin_whose_handlers_throw_is_unloaded()
    {
        _root.Drop(PluginRoot.Output("ThrowsOnLoop"), "ThrowsOnLoop/1.0.0");
        var plugins = Unloadable(_root.Path, PluginRoots.Default);
        await using var host = Host(plugins);
        await UseAsync(host, plugins, $$"""{ "kind": "virtio", "socket": "{{Socket}}" }""", """{ "kind": "throws-on-loop" }""",
            nic => Eventually.True(() => nic.Faults > 0, "it fails"), state: null);
        await GoneAsync(plugins, "ThrowsOnLoop");
    }

    [Fact]
    public async Task Plugin_that_is_used_stays_and_the_others_go()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        _root.Drop(PluginRoot.Output("Gate"), "Gate/2.0.0");
        var plugins = Unloadable(_root.Path);
        plugins.Users = () => [("vm", plugins.Current.EndpointOwners["gate"])];
        Load(plugins, "gate@1.0.0");
        plugins.UnloadUnused();
        Assert.Equal(PluginCode.Loaded, Plugin(plugins, "Gate", "2.0.0").Code);
        await CollectedAsync(() => Plugin(plugins, "Gate", "1.0.0").Code == PluginCode.Unloaded);
        Assert.Equal(PluginCode.Loaded, Plugin(plugins, "Gate", "2.0.0").Code);
    }

    [Fact]
    public void Plugin_is_never_unloaded_where_that_was_not_asked_for()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        var plugins = new PluginHost(new PluginSettings([_root.Path]), NullLoggerFactory.Instance);
        plugins.UnloadUnused();
        Assert.Equal(PluginCode.Loaded, Plugin(plugins, "Gate", "1.0.0").Code);
        Assert.Null(Plugin(plugins, "Gate", "1.0.0").GiveUp());
        Assert.True(Plugin(plugins, "Gate", "1.0.0").IsLoaded);
    }

    [Fact]
    public async Task Plugin_that_was_unloaded_is_loaded_again_for_who_asks()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        var plugins = Unloadable(_root.Path);
        plugins.UnloadUnused();
        await CollectedAsync(() => Plugin(plugins, "Gate", "1.0.0").Code == PluginCode.Unloaded);
        Assert.Equal(PluginStatus.Active, Plugin(plugins, "Gate", "1.0.0").Status);
        // A look does not load it, whoever asks does.
        plugins.Refresh();
        Assert.False(Plugin(plugins, "Gate", "1.0.0").IsLoaded);
        Load(plugins, "gate");
        Assert.Equal(PluginCode.Loaded, Plugin(plugins, "Gate", "1.0.0").Code);
        await AdvanceUntilAsync(() => _logs.Entries.Any(entry => entry.StartsWith("NicHost.Plugins[404] Plugin Gate 1.0.0", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Plugin_whose_folder_went_is_unloaded_with_its_last_user_and_listed_no_more()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        var plugins = Unloadable(_root.Path);
        var gate = Plugin(plugins, "Gate");
        plugins.Users = () => [("vm", gate)];
        _root.Remove("Gate");
        plugins.Refresh();
        plugins.UnloadUnused();
        Assert.Equal((PluginStatus.Removed, PluginCode.Loaded), (gate.Status, gate.Code));
        plugins.Users = () => [];
        plugins.UnloadUnused();
        await CollectedAsync(() => gate.Code == PluginCode.Unloaded);
        Assert.DoesNotContain(plugins.Current.Plugins, plugin => plugin.Name == "Gate");
    }

    [Fact]
    public async Task Build_that_replaced_one_in_use_is_offered_when_that_is_unloaded_but_not_before_it_is_whole()
    {
        _root.Drop(PluginRoot.Output("Gate"), "Gate/1.0.0");
        var plugins = Unloadable(_root.Path);
        var old = Plugin(plugins, "Gate");
        plugins.Users = () => [("vm", old)];
        // Not renamed to its place, and so perhaps half there.
        _root.Swap(PluginRoot.Output("HangsInStop"), "Gate/1.0.0");
        plugins.Refresh(new HashSet<string>());
        Assert.Equal((PluginStatus.Replaced, PluginCode.Loaded), (old.Status, old.Code));
        plugins.Users = () => [];
        plugins.UnloadUnused();
        Assert.Equal(PluginStatus.Refused, Plugin(plugins, "Gate").Status);
        Assert.Contains("half-copied", Plugin(plugins, "Gate").Reason, StringComparison.Ordinal);
        plugins.Refresh(new HashSet<string> { _root.At("Gate/1.0.0") });
        Assert.Equal(["hangs-in-stop"], Plugin(plugins, "Gate").EndpointKinds);
        Assert.Equal(PluginStatus.Active, Plugin(plugins, "Gate").Status);
        await CollectedAsync(() => old.Code == PluginCode.Unloaded);
    }

    [Fact]
    public async Task Native_library_of_a_plugin_goes_with_it()
    {
        var folder = _root.Drop(PluginRoot.Output("NativeDependency"), "NativeDependency/1.0.0");
        File.Copy(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.IO.Compression.Native.so"), Path.Combine(folder, "libtestnative.so"));
        var plugins = Unloadable(_root.Path, PluginRoots.Default);
        await using var host = Host(plugins);
        await UseAsync(host, plugins, $$"""{ "kind": "virtio", "socket": "{{Socket}}" }""", """{ "kind": "native-dependency" }""", _ => Task.CompletedTask);
        await GoneAsync(plugins, "NativeDependency");
    }

    [Fact]
    public async Task Context_that_something_holds_on_to_is_told_after_half_a_minute()
    {
        _root.Drop(PluginRoot.Output("LeaksContext"), "LeaksContext/1.0.0");
        _root.Drop(PluginRoot.Shipped("Virtio"), "Virtio/0.1.0");
        var plugins = Unloadable(_root.Path);
        await using var host = Host(plugins);
        await UseAsync(host, plugins, $$"""{ "kind": "virtio", "socket": "{{Socket}}" }""", """{ "kind": "leaks-context" }""", _ => Task.CompletedTask);
        var since = _time.GetTimestamp();
        plugins.UnloadUnused();
        Assert.Equal(PluginCode.Unloading, Plugin(plugins, "LeaksContext", "1.0.0").Code);
        await AdvanceUntilAsync(() => _logs.Entries.Any(entry => entry.StartsWith("NicHost.Plugins[405]", StringComparison.Ordinal)));

        Assert.True(_time.GetElapsedTime(since) >= UnloadWatch.Limit);
        var told = Assert.Single(_logs.Entries, entry => entry.StartsWith("NicHost.Plugins[405]", StringComparison.Ordinal));
        Assert.Contains($"Plugin LeaksContext 1.0.0 in {_root.At("LeaksContext/1.0.0")} was given up 30 s ago and is still in memory", told, StringComparison.Ordinal);
        Assert.Contains("let go of that in DisposeAsync", told, StringComparison.Ordinal);
        Assert.Equal(PluginCode.Leaked, Plugin(plugins, "LeaksContext", "1.0.0").Code);
        Assert.Contains("something of its own keeps it in memory", PluginReport.Of(plugins.Current, []).ToText(), StringComparison.Ordinal);

        // Of the other nobody holds anything, and what leaks keeps nobody from loading it again.
        Assert.Equal(PluginCode.Unloaded, Plugin(plugins, "Virtio", "0.1.0").Code);
        Load(plugins, "leaks-context");
        Assert.Equal(PluginCode.Loaded, Plugin(plugins, "LeaksContext", "1.0.0").Code);
    }

    private PluginHost Unloadable(params string[] roots) => new(new PluginSettings(roots) { Unloadable = true }, _logs, _time);

    private static HostRuntime Host(PluginHost plugins)
    {
        var host = new HostRuntime(() => plugins.Current.Plugins, 2, NullLoggerFactory.Instance, TimeProvider.System);
        plugins.Users = () => PluginUsers.Of(host);
        return host;
    }

    /// <summary>A NIC comes, is used, asked everything that operators ask, and goes; the host stays.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task UseAsync(HostRuntime host, PluginHost plugins, string device, string endpoint, Func<NicInstance, Task> use, NicState? state = NicState.Running)
    {
        using var instruments = new HostMetrics(host);
        using var metrics = new MetricsExport(host, NullLoggerFactory.Instance);
        await ApplyAsync(host, plugins, $$"""{ "vms": { "vm": { "nics": { "nic": { "restart": { "firstDelaySeconds": 0.01 }, "device": {{device}}, "endpoint": {{endpoint}} } } } } }""");
        var nic = host.Nics.Single();
        if (state is { } wanted) Assert.True(nic.State == wanted, nic.Reason);
        await use(nic);
        Assert.NotNull(await host.InspectAsync(null));
        var scraped = 0;
        await metrics.WriteAsync(text =>
        {
            scraped += text.Length;
            return ValueTask.CompletedTask;
        });
        Assert.True(scraped > 0);
        await ApplyAsync(host, plugins, """{ "vms": { } }""");
    }

    private static async Task ApplyAsync(HostRuntime host, PluginHost plugins, string topology)
    {
        var result = await host.ApplyAsync(MemoryFiles.Source(topology).Read(plugins.Current));
        if (host.Vms.Count == 0) Assert.Empty(result.Failures);
    }

    /// <summary>References to the load contexts of plugins that are loaded, which keep nothing.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference[] Contexts(PluginHost plugins, string[] names) =>
    [
        .. names.Select(name => Plugin(plugins, name).Load()!).Select(loaded =>
            new WeakReference(AssemblyLoadContext.GetLoadContext((loaded.Devices.Values.Select(d => (object)d.Factory).Concat(loaded.Endpoints.Values.Select(e => e.Factory))).First().GetType().Assembly), trackResurrection: true)),
    ];

    private static async Task GoneAsync(PluginHost plugins, params string[] names)
    {
        var contexts = Contexts(plugins, names);
        Assert.All(contexts, context => Assert.True(context.IsAlive));
        plugins.UnloadUnused();
        await CollectedAsync(() => contexts.All(context => !context.IsAlive));
        Assert.All(names, name => Assert.Equal(PluginCode.Unloaded, Plugin(plugins, name).Code));
    }

    private static Task CollectedAsync(Func<bool> gone) => Eventually.True(() =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return gone();
    }, "the context is collected");

    private Task AdvanceUntilAsync(Func<bool> condition) => Eventually.True(() =>
    {
        if (!condition()) _time.Advance(TimeSpan.FromSeconds(1));
        return condition();
    }, "the watch tells");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Load(PluginHost plugins, string kind) => Assert.NotNull(plugins.Current.Endpoint("vm", kind));

    private static PluginEntry Plugin(PluginHost plugins, string name, string? version = null) =>
        plugins.Current.Plugins.Single(plugin => plugin.Name == name && (version ?? plugin.Version) == plugin.Version);

    private sealed class OnThisThread(HostRuntime runtime) : IDisposable
    {
        public HostRuntime Runtime { get; } = runtime;

        public void Dispose() => Runtime.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
