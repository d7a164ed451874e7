using Microsoft.Extensions.Logging;
using NicHost.Contracts.Nics;
using NicHost.Host.Control;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Changes;

/// <summary>
/// A host that follows its topology files: reads them again when asked, and makes what runs the same. Files with a fault change nothing.
/// One change at a time.
/// </summary>
/// <param name="source">The files, read through <paramref name="seen"/>.</param>
/// <param name="seen">What was read so far, the first time for the start.</param>
/// <param name="roots">The plugin roots of the command line and of the files, in order.</param>
/// <param name="plugins">What the kinds come from.</param>
/// <param name="host">What runs.</param>
/// <param name="logging">Where logs go.</param>
internal sealed partial class LiveTopology(
    TopologySource source, SeenFiles seen, Func<TopologyFiles, PluginSettings> roots, PluginHost plugins, HostRuntime host, ILoggerFactory logging) : IDisposable
{
    private readonly ILogger _log = logging.CreateLogger("NicHost.Changes");
    private readonly SemaphoreSlim _turn = new(1);
    private bool _started;

    /// <summary>The files as they were when they were last applied, or would have been but for their faults.</summary>
    public FileMemory Applied { get; private set; } = seen.Take();

    /// <summary>Whether the files were unfit when they were last to be applied: what runs is what they wanted before.</summary>
    public bool HasFaults { get; private set; }

    /// <summary>Runs the topology that the files had at the start. To be called once; until then no plugin is unloaded.</summary>
    public async Task StartAsync(TopologyModel first) => await InTurnAsync(() =>
    {
        _started = true;
        plugins.Changed += OnPluginsChanged;
        return host.ApplyAsync(first);
    });

    /// <summary>What would be changed.</summary>
    /// <exception cref="TopologyException">The files have faults.</exception>
    public Task<ChangePlan> PlanAsync() => InTurnAsync(() =>
    {
        try { return Task.FromResult(host.Plan(Read(source, host.Vms))); }
        finally { seen.Take(); }
    });

    /// <summary>Makes what runs as the files want it.</summary>
    /// <exception cref="TopologyException">The files have faults: nothing is changed.</exception>
    public Task<ChangeResult> ApplyAsync() => InTurnAsync(() => host.ApplyAsync(ReadToApply(host.Vms)));

    /// <summary>What would be changed if the topology's file held what another one does.</summary>
    /// <exception cref="TopologyException">It has faults.</exception>
    /// <exception cref="ControlException">The topology is not one file.</exception>
    public Task<ChangePlan> PlanAsync(string replacement) => InTurnAsync(() =>
    {
        var (files, _) = With(replacement);
        return Task.FromResult(host.Plan(Read(files, host.Vms)));
    });

    /// <summary>Gives the topology's file the content of another one, if that holds, and makes what runs as it wants.</summary>
    /// <exception cref="TopologyException">It has faults: nothing is changed, nor is the file.</exception>
    /// <exception cref="ControlException">The topology is not one file, or it cannot be replaced.</exception>
    public Task<ChangeResult> ApplyAsync(string replacement) => InTurnAsync(() =>
    {
        var (files, file) = With(replacement);
        _ = Read(files, host.Vms);
        // The file first: should the host end in the middle, the next one starts with what was wanted.
        try { file.Commit(); }
        catch (IOException e) { throw new ControlException(e.Message); }
        return host.ApplyAsync(ReadToApply(host.Vms));
    });

    /// <summary>As <see cref="ApplyAsync()"/>, for those who cannot be told of faults otherwise: they are logged.</summary>
    /// <returns>Whether the files were fit.</returns>
    public async Task<bool> FollowAsync()
    {
        try
        {
            await ApplyAsync();
            return true;
        }
        catch (TopologyException e)
        {
            foreach (var fault in e.Faults) LogFault(_log, fault.ToString());
            return false;
        }
    }

    /// <summary>Ends a VM, or one NIC, and starts it as the files want it: a VM with the newest plugins, a NIC with its VM's.</summary>
    /// <returns>What does not run afterwards, with the reason.</returns>
    /// <exception cref="TopologyException">The files have faults: nothing is changed.</exception>
    public Task<IReadOnlyDictionary<NicIdentity, string>> RestartAsync(string vm, string? nic) => InTurnAsync(() =>
    {
        var wanted = Read(source, nic is null ? host.Vms.Where(v => v.Name != vm) : host.Vms);
        seen.Take();
        var machine = wanted.Vms.FirstOrDefault(v => v.Name == vm);
        var runs = nic is null ? host.Vms.Any(v => v.Name == vm) : host.Nics.Any(n => n.Identity == new NicIdentity(vm, nic));
        if (!runs || machine is null || (nic is not null && machine.Nics.All(n => n.Identity.Nic != nic)))
            throw new ControlException($"There is no {(nic is null ? vm : $"{vm}/{nic}")} both running and in the topology.");
        return nic is null ? host.RestartAsync(vm, () => Anew(machine)) : host.RestartAsync(machine.Nics.Single(n => n.Identity.Nic == nic));
    });

    public void Dispose()
    {
        plugins.Changed -= OnPluginsChanged;
        _turn.Dispose();
    }

    // One that came or went may leave one behind that nobody uses: each turn looks for those.
    private async void OnPluginsChanged(PluginCatalog catalog)
    {
        try { await InTurnAsync(() => Task.FromResult(catalog)); }
        catch (ObjectDisposedException) { }
    }

    // A plugin that went with the VM may have another build in its place.
    private VmModel Anew(VmModel wanted)
    {
        if (!plugins.Settings.Unloadable) return wanted;
        plugins.UnloadUnused();
        try { return Read(source, host.Vms).Vms.Single(vm => vm.Name == wanted.Name); }
        finally { seen.Take(); }
    }

    private TopologyModel ReadToApply(IEnumerable<VmInstance> running)
    {
        HasFaults = true;
        try
        {
            var wanted = Read(source, running);
            HasFaults = false;
            return wanted;
        }
        finally { Applied = seen.Take(); }
    }

    private TopologyModel Read(TopologySource from, IEnumerable<VmInstance> running)
    {
        var files = from.Load();
        var (now, settings) = (plugins.Settings, roots(files));
        // More plugins hurt nobody, so they may come before it is known whether the files are fit.
        if (settings.AllowWritable != now.AllowWritable || !settings.Roots.SequenceEqual(now.Roots)) plugins.Refresh(settings with { Unloadable = now.Unloadable });
        var wanted = files.Read(new RunningKinds(plugins.Current, running));
        foreach (var warning in wanted.Warnings) LogWarning(_log, warning.ToString());
        return wanted;
    }

    private (TopologySource Source, ReplacedFile File) With(string replacement)
    {
        if (source.Folders.Count > 0 || source.Files is not [var path])
            throw new ControlException("This host's topology is more than one file. Change the files in place, then: nichost apply");
        try
        {
            var file = new ReplacedFile(path, new Disk().Read(replacement));
            return (new TopologySource([path], file), file);
        }
        catch (IOException e) { throw new ControlException($"{replacement}: {e.Message}"); }
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work)
    {
        await _turn.WaitAsync();
        // Away from the caller, who may be a loop or a watcher: reading and planning take their time.
        try { return await Task.Run(work); }
        finally
        {
            if (_started) plugins.UnloadUnused();
            _turn.Release();
        }
    }

    [LoggerMessage(224, LogLevel.Warning, "A plugin fails; its NICs do not run. {Fault}")]
    private static partial void LogWarning(ILogger log, string fault);

    [LoggerMessage(222, LogLevel.Error, "The topology was changed, but not so that it could be used; what runs stays as it is. {Fault}")]
    private static partial void LogFault(ILogger log, string fault);
}
