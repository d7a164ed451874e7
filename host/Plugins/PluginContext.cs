using System.Composition.Hosting;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Text.Json;
using McMaster.NETCore.Plugins;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;
using NicHost.Host.Plugins.Preflight;

namespace NicHost.Host.Plugins;

/// <summary>
/// One plugin in a load context of its own, with a container of its own: one export that cannot be composed spoils all parts of its
/// container. What the contracts are made of is the host's; everything else is the plugin's.
/// </summary>
internal sealed class PluginContext
{
    private readonly PluginLoader _loader;
    private AssemblyLoadContext? _assemblies;
    private CompositionHost? _container;

    private PluginContext(PluginLoader loader) => _loader = loader;

    /// <summary>Loads a plugin and makes its factories.</summary>
    /// <exception cref="PluginException">It cannot be used.</exception>
    public static LoadedPlugin Load(PluginEntry entry, PluginSettings settings)
    {
        // On a thread of its own: one that never comes back keeps nobody else from being loaded.
        var work = Task.Factory.StartNew(() => Load(entry, settings.Unloadable), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (Task.WaitAny([work], settings.LoadLimit) == 0) return work.GetAwaiter().GetResult();
        work.ContinueWith(late => late.Result.Context!.GiveUp(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        throw new PluginException($"It was still busy after {settings.LoadLimit.TotalSeconds:0.#} s, in its constructors or static constructors. Factories have to be made at once; devices and endpoints may take their time.");
    }

    private static LoadedPlugin Load(PluginEntry entry, bool unloadable)
    {
        var started = Stopwatch.GetTimestamp();
        // First: what comes to its place while it is loaded is told later.
        var content = FolderContent.Read(entry.Path);
        var loader = PluginLoader.CreateFromAssemblyFile(entry.Manifest!.MainAssembly, config =>
        {
            config.IsUnloadable = unloadable;
            // From the file, the runtime would give the build that it has mapped under this path as long as an older context lives.
            config.LoadInMemory = unloadable;
            foreach (var shared in SharedAssemblies.Host.Names) config.SharedAssemblies.Add(new AssemblyName(shared));
        });
        var context = new PluginContext(loader);
        try
        {
            var assembly = loader.LoadDefaultAssembly();
            context._assemblies = AssemblyLoadContext.GetLoadContext(assembly);
            NativeFolders.AddTo(context._assemblies!, entry.Path);
            // Now and not at the first packet: by then somebody may have removed the folder of a version that is still in use.
            foreach (var dependency in entry.Manifest.Dependencies) loader.LoadAssembly(dependency);
            var loaded = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            started = Stopwatch.GetTimestamp();
            var (devices, endpoints) = context.Compose(assembly);
            return new LoadedPlugin(entry, devices, endpoints)
            {
                Context = context,
                Content = content,
                LoadMilliseconds = loaded,
                ComposeMilliseconds = Stopwatch.GetElapsedTime(started).TotalMilliseconds,
            };
        }
        catch
        {
            context.GiveUp();
            throw;
        }
    }

    /// <summary>Whether it goes when it is given up and nothing of it is used any more.</summary>
    public bool IsUnloadable => _assemblies is { IsCollectible: true };

    /// <summary>Gives the context up: nothing is loaded into it any more, and nobody may ask its factories for anything.</summary>
    /// <returns>Dead once the context is gone. Whoever waits for that must not hold this object.</returns>
    public WeakReference GiveUp()
    {
        _container?.Dispose();
        _loader.Dispose();
        return new WeakReference(_assemblies, trackResurrection: true);
    }

    private ((string, IDeviceFactory)[] Devices, (string, IEndpointFactory)[] Endpoints) Compose(Assembly assembly)
    {
        // All of them, so that a type that cannot be loaded shows here.
        var types = assembly.GetTypes();
        Type[] parts = [.. Parts<DeviceKindAttribute>(types, typeof(IDeviceFactory)), .. Parts<EndpointKindAttribute>(types, typeof(IEndpointFactory))];
        _container = new ContainerConfiguration().WithParts(parts.Distinct()).CreateContainer();
        var devices = _container.GetExports<Lazy<IDeviceFactory, KindMetadata>>().Select(e => (e.Metadata.Kind, Factory: e.Value)).ToArray();
        var endpoints = _container.GetExports<Lazy<IEndpointFactory, KindMetadata>>().Select(e => (e.Metadata.Kind, Factory: e.Value)).ToArray();
        foreach (var (kind, factory) in devices) Try(kind, () => factory.Options);
        foreach (var (kind, factory) in endpoints) Try(kind, () => factory.Options);
        return (devices, endpoints);
    }

    private static IEnumerable<Type> Parts<TAttribute>(Type[] types, Type contract) where TAttribute : Attribute
    {
        foreach (var type in types.Where(type => type.IsDefined(typeof(TAttribute), inherit: false)))
        {
            var what = $"{type.FullName} is marked [{typeof(TAttribute).Name[..^"Attribute".Length]}]";
            if (!contract.IsAssignableFrom(type)) throw new PluginException($"{what} but does not implement {contract.Name}. Implement it, or take the attribute away.");
            if (type.IsAbstract || type.ContainsGenericParameters) throw new PluginException($"{what} but cannot be made: it is abstract or generic. Mark a class that can be made.");
            // The static constructor would otherwise run in the container, whose exception tells less.
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            yield return type;
        }
    }

    // What a topology's check does with each kind: a plugin that cannot do it is better known now than when somebody wants it.
    private static void Try(string kind, Func<OptionsModel?> options)
    {
        try
        {
            var model = options() ?? throw new PluginException("they are null.");
            using var smallest = JsonDocument.Parse($$"""{ "kind": "{{kind}}" }""");
            model.Check(smallest.RootElement, []);
        }
        catch (Exception e)
        {
            throw new PluginException($"The options of its kind \"{kind}\" cannot be had: {PluginFault.Describe(e)}", e);
        }
    }
}

/// <summary>What MEF hands over of a kind attribute.</summary>
internal sealed class KindMetadata
{
    public string Kind { get; set; } = "";
}
