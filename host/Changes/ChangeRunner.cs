using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Nics;
using NicHost.Host.Machines;

namespace NicHost.Host.Changes;

/// <summary>
/// Carries out a plan in three steps over all NICs: what goes, what changes in place, what comes. A NIC that fails keeps the others from
/// nothing. One plan at a time.
/// </summary>
internal sealed partial class ChangeRunner(HostRuntime host, ILogger log)
{
    private readonly ConcurrentDictionary<NicIdentity, string> _failures = new();

    /// <returns>What could not be done, with the reason, by NIC.</returns>
    public async Task<IReadOnlyDictionary<NicIdentity, string>> RunAsync(ChangePlan plan)
    {
        await ReleaseAsync(plan);
        await UpdateAsync(plan);
        await AcquireAsync(plan);
        foreach (var change in plan.Nics)
        {
            if (_failures.TryGetValue(change.Nic, out var why)) LogFailed(log, change.Nic.ToString(), change.Kind, why);
            else LogDone(log, change.Nic.ToString(), change.Kind);
        }
        return _failures;
    }

    private Task ReleaseAsync(ChangePlan plan) => Task.WhenAll(plan.Vms.SelectMany(vm => vm.Kind switch
    {
        VmChangeKind.Remove => [host.RemoveVmAsync(vm.Name)],
        VmChangeKind.Add => Enumerable.Empty<Task>(),
        _ => vm.Nics.Select(nic => nic.Kind switch
        {
            NicChangeKind.Remove => host.Vm(vm.Name).RemoveNicAsync(nic.Nic),
            NicChangeKind.Move or NicChangeKind.Replug => host.Nic(nic.Nic).ReleaseAsync(nic.Kind),
            _ => Task.CompletedTask,
        }),
    }));

    /// <summary>In rounds: what one NIC gives up in place, such as a port, another may be waiting for.</summary>
    private async Task UpdateAsync(ChangePlan plan)
    {
        NicChange[] open = [.. plan.Nics.Where(nic => nic.Kind == NicChangeKind.Update || nic is { Kind: NicChangeKind.Move, ReconfiguresDevice: true })];
        while (open.Length > 0)
        {
            var before = open.Length;
            await Task.WhenAll(open.Select(UpdateAsync));
            open = [.. open.Where(nic => _failures.ContainsKey(nic.Nic))];
            if (open.Length == before) return;
        }
    }

    private Task UpdateAsync(NicChange change)
    {
        // A move brings the rest of the change when it plugs the NIC in.
        var wanted = change.Kind == NicChangeKind.Update ? change.After! : change.Before! with { Device = change.After!.Device };
        return NoteAsync(change.Nic, host.Nic(change.Nic).UpdateAsync(wanted, change.ReconfiguresDevice, change.ReconfiguresEndpoint));
    }

    private Task AcquireAsync(ChangePlan plan) => Task.WhenAll(plan.Vms.SelectMany(vm =>
    {
        if (vm.Kind == VmChangeKind.Remove) return [];
        var machine = vm.Kind == VmChangeKind.Add ? host.AddVm(vm.Name) : host.Vm(vm.Name);
        return vm.Nics.Select(nic => nic.Kind switch
        {
            NicChangeKind.Add => NoteAsync(nic.Nic, machine.AddNicAsync(nic.After!)),
            NicChangeKind.Move or NicChangeKind.Replug => NoteAsync(nic.Nic, host.Nic(nic.Nic).AcquireAsync(nic.After!)),
            _ => Task.CompletedTask,
        });
    }));

    private async Task NoteAsync(NicIdentity nic, Task<string?> step)
    {
        if (await step is { } failure) _failures[nic] = failure;
        else _failures.TryRemove(nic, out _);
    }

    [LoggerMessage(220, LogLevel.Information, "{Nic}: {Change} done.")]
    private static partial void LogDone(ILogger log, string nic, NicChangeKind change);

    [LoggerMessage(221, LogLevel.Error, "{Nic}: {Change} failed: {Reason}")]
    private static partial void LogFailed(ILogger log, string nic, NicChangeKind change, string reason);
}
