using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Nics;
using NicHost.Host.Changes;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>Everything that runs: loops and VMs. It starts empty; what a topology wants comes as a change, the first one too.</summary>
internal sealed partial class HostRuntime(Func<IReadOnlyList<PluginEntry>> plugins, int loops, ILoggerFactory logging, TimeProvider time) : IAsyncDisposable
{
    private readonly LoopPool _loops = new(loops, time, logging);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly ILogger _log = logging.CreateLogger("NicHost.Changes");
    private ImmutableArray<VmInstance> _vms = [];
    private HostSettings? _settings;
    private bool _stopped;

    /// <summary>Sorted by name.</summary>
    public IReadOnlyList<VmInstance> Vms => _vms;

    public LoopPool Loops => _loops;

    /// <summary>Every plugin that was found, used or not.</summary>
    public IReadOnlyList<PluginEntry> Plugins => plugins();

    public IEnumerable<NicInstance> Nics => Vms.SelectMany(vm => vm.Nics);

    /// <summary>What would be changed.</summary>
    public ChangePlan Plan(TopologyModel wanted) => ChangePlanner.Plan(Vms, wanted, _settings);

    /// <summary>Makes what runs the same as <paramref name="wanted"/>; one change at a time.</summary>
    /// <returns>What was planned, and what of it could not be done.</returns>
    public Task<ChangeResult> ApplyAsync(TopologyModel wanted) => InTurnAsync(async () =>
    {
        var plan = Plan(wanted);
        _settings ??= wanted.Settings;
        return new ChangeResult(plan, await new ChangeRunner(this, _log).RunAsync(plan));
    });

    /// <summary>Ends a VM and starts it anew.</summary>
    /// <param name="name">The VM.</param>
    /// <param name="wanted">How it is to be; asked once it has ended.</param>
    /// <returns>What does not run afterwards, with the reason.</returns>
    public Task<IReadOnlyDictionary<NicIdentity, string>> RestartAsync(string name, Func<VmModel> wanted) => InTurnAsync(async () =>
    {
        await RemoveVmAsync(name);
        return await new ChangeRunner(this, _log).RunAsync(ChangePlan.Restart(wanted()));
    });

    /// <summary>Ends a NIC and starts it as <paramref name="wanted"/> has it.</summary>
    /// <returns>Why it does not run afterwards, if it does not.</returns>
    public Task<IReadOnlyDictionary<NicIdentity, string>> RestartAsync(NicModel wanted) =>
        InTurnAsync(() => new ChangeRunner(this, _log).RunAsync(ChangePlan.Restart(wanted)));

    public VmInstance Vm(string name) => FindVm(name) ?? throw new InvalidOperationException($"There is no VM {name}.");

    public NicInstance Nic(NicIdentity nic) => Vm(nic.Vm).Nics.Single(n => n.Identity == nic);

    /// <summary>For the runner of a change only.</summary>
    public VmInstance AddVm(string name)
    {
        var vm = new VmInstance(name, _loops, logging, time);
        ImmutableInterlocked.Update(ref _vms, vms => vms.Insert(Sorted.PlaceFor(vms, name, v => v.Name), vm));
        return vm;
    }

    /// <summary>For the runner of a change only.</summary>
    public async Task RemoveVmAsync(string name)
    {
        var vm = Vm(name);
        ImmutableInterlocked.Update(ref _vms, vms => vms.Remove(vm));
        await vm.StopAsync();
    }

    private VmInstance? FindVm(string name)
    {
        var vms = _vms;
        var place = Sorted.PlaceFor(vms, name, vm => vm.Name);
        return place < vms.Length && vms[place].Name == name ? vms[place] : null;
    }

    private async Task<T> InTurnAsync<T>(Func<Task<T>> work)
    {
        await _turn.WaitAsync();
        try
        {
            ObjectDisposedException.ThrowIf(_stopped, this);
            return await work();
        }
        finally { _turn.Release(); }
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (_stopped) return;
            _stopped = true;
            await Task.WhenAll(Vms.Select(vm => vm.StopAsync()));
            _loops.Dispose();
        }
        finally { _turn.Release(); }
    }
}

/// <summary>A change that was made.</summary>
internal sealed record ChangeResult(ChangePlan Plan, IReadOnlyDictionary<NicIdentity, string> Failures);
