using NicHost.Host.Machines;
using NicHost.Host.Topology;
using NicHost.Loops;

namespace NicHost.Host.Changes;

/// <summary>The difference between what runs and what is wanted. Changes nothing.</summary>
internal static class ChangePlanner
{
    /// <param name="running">What runs.</param>
    /// <param name="wanted">What is wanted.</param>
    /// <param name="started">What the process was started with; null when it has just been.</param>
    public static ChangePlan Plan(IReadOnlyList<VmInstance> running, TopologyModel wanted, HostSettings? started = null)
    {
        using var scratch = new EventLoop("plan");
        var comparison = new NicComparison(scratch);
        var before = running.ToDictionary(vm => vm.Name, StringComparer.Ordinal);
        var after = wanted.Vms.ToDictionary(vm => vm.Name, StringComparer.Ordinal);
        var changes = new List<VmChange>();
        foreach (var name in before.Keys.Union(after.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var vm = before.GetValueOrDefault(name);
            var kind = vm is null ? VmChangeKind.Add : after.ContainsKey(name) ? VmChangeKind.Keep : VmChangeKind.Remove;
            NicChange[] nics = [.. Nics(vm?.Nics ?? [], after.GetValueOrDefault(name)?.Nics ?? [], comparison)];
            if (nics.Length > 0 || kind != VmChangeKind.Keep) changes.Add(new VmChange(name, kind, nics));
        }
        return new ChangePlan(changes) { Notes = [.. Notes(started ?? wanted.Settings, wanted.Settings)] };
    }

    private static IEnumerable<string> Notes(HostSettings started, HostSettings wanted)
    {
        if (started.Control != wanted.Control) yield return "\"control\" takes effect at the next start of the host.";
        if (started.Unloadable != wanted.Unloadable) yield return "\"unloadable\" takes effect at the next start of the host.";
    }

    private static IEnumerable<NicChange> Nics(IReadOnlyList<NicInstance> running, IReadOnlyList<NicModel> wanted, NicComparison comparison)
    {
        var before = running.ToDictionary(nic => nic.Identity);
        var after = wanted.ToDictionary(nic => nic.Identity);
        foreach (var nic in before.Keys.Union(after.Keys).OrderBy(nic => nic.Nic, StringComparer.Ordinal))
        {
            var old = before.GetValueOrDefault(nic);
            var now = after.GetValueOrDefault(nic);
            if (old is null) yield return new NicChange(nic, NicChangeKind.Add) { After = now };
            else if (now is null) yield return new NicChange(nic, NicChangeKind.Remove) { Before = old.Model };
            else if (comparison.Compare(old.Model, now, old.Shape) is { } change) yield return change;
        }
    }
}
