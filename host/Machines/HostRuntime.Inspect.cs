using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Machines;

/// <content>The live tree.</content>
internal sealed partial class HostRuntime
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>The whole tree, or that of one VM or NIC.</summary>
    /// <param name="target"><c>VM</c>, <c>VM/NIC</c>, or nothing.</param>
    /// <returns>Null when there is no such thing.</returns>
    public async Task<InspectNode?> InspectAsync(string? target)
    {
        if (string.IsNullOrEmpty(target)) return await InspectAllAsync();
        var names = target.Split('/', 2);
        if (FindVm(names[0]) is not { } vm) return null;
        if (names.Length == 1) return (await InspectAsync([vm])).Single();
        return vm.Nics.FirstOrDefault(nic => nic.Identity.Nic == names[1]) is { } nic ? (await InspectRound.AskAsync([nic], time)).Single() : null;
    }

    private async Task<InspectNode> InspectAllAsync()
    {
        var writer = new InspectWriter("nichost");
        writer.Value("pid", Environment.ProcessId);
        writer.Value("uptimeSeconds", (long)time.GetElapsedTime(_started).TotalSeconds);
        using (writer.Section("memory"))
        {
            writer.Value("workingSetBytes", Environment.WorkingSet);
            writer.Value("managedBytes", GC.GetTotalMemory(false));
            writer.Value("collections", GC.CollectionCount(0));
        }
        using (writer.Section("plugins"))
        {
            foreach (var plugin in Plugins)
                writer.Value(plugin.ToString(), plugin.Reason is null ? "active" : $"{InspectWriter.CamelCase(plugin.Status.ToString())}: {plugin.Reason}");
        }
        using (writer.Section("loops")) _loops.Inspect(writer);
        using (writer.Section("vms")) { }
        var vms = writer.Root.Children[^1];
        foreach (var vm in await InspectAsync(Vms)) vms.Children.Add(vm);
        return writer.Root;
    }

    private async Task<IReadOnlyList<InspectNode>> InspectAsync(IReadOnlyList<VmInstance> vms)
    {
        // Each list of NICs as it is now: it may be another when they have answered.
        (string Vm, IReadOnlyList<NicInstance> Nics)[] asked = [.. vms.Select(vm => (vm.Name, vm.Nics))];
        var answers = new Queue<InspectNode>(await InspectRound.AskAsync([.. asked.SelectMany(vm => vm.Nics)], time));
        var shown = new List<InspectNode>();
        foreach (var (vm, nics) in asked)
        {
            var writer = new InspectWriter(vm);
            for (var i = 0; i < nics.Count; i++) writer.Root.Children.Add(answers.Dequeue());
            shown.Add(writer.Root);
        }
        return shown;
    }
}
