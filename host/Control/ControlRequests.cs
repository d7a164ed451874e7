using System.Runtime.InteropServices;
using NicHost.Host.Changes;
using NicHost.Host.Diagnostics;
using NicHost.Host.Diagnostics.Metrics;
using NicHost.Host.Machines;
using NicHost.Host.Plugins;

namespace NicHost.Host.Control;

/// <summary>What operators may ask of a running host.</summary>
internal sealed class ControlRequests(HostRuntime host, PluginHost plugins, LiveTopology live, MetricsExport metrics)
{
    public const string Inspect = "inspect";
    public const string Describe = "describe";
    public const string Plugins = "plugins";
    public const string Rescan = "rescan";
    public const string Pass = "pass";
    public const string Status = "status";
    public const string Metrics = "metrics";
    public const string Json = "json";
    public const string Text = "text";

    public async Task<ControlAnswer> AnswerAsync(ControlRequest request)
    {
        var words = request.Words;
        if (await ChangeRequests.AnswerAsync(live, words) is { } change) return change;
        switch (words)
        {
            case [Inspect, Json or Text, .. { Length: <= 1 } rest]:
                var target = rest is [var name] ? name : null;
                var node = await host.InspectAsync(target) ?? throw Unknown(target!);
                return words[1] == Json ? InspectRenderer.Json(node) : InspectRenderer.Text(node);
            case [Status, Json or Text, .. { Length: <= 1 } rest]:
                var nics = rest is [var one] ? Find(one) : host.Nics;
                return words[1] == Json ? StatusTable.Json(nics) : StatusTable.Text(nics);
            case [Metrics]:
                return new ControlAnswer(writer => metrics.WriteAsync(writer.WriteAsync));
            case [Describe, var nic]:
                return NicDescription.Render(host.Nics.FirstOrDefault(n => n.Model.Identity.ToString() == nic)?.Model ?? throw Unknown(nic));
            case [Pass, var taker]:
                return await PassAsync(host.Nics.FirstOrDefault(n => n.Identity.ToString() == taker) ?? throw Unknown(taker), request.TakeDescriptors());
            case [Plugins or Rescan, Json or Text]:
                var report = PluginReport.Of(words[0] == Rescan ? plugins.Refresh() : plugins.Current, plugins.Users());
                return words[1] == Json ? report.ToJson() : report.ToText();
            default:
                throw new ControlException($"Unknown request. Known: \"{Inspect} {Text}|{Json} [VM[/NIC]]\", \"{Status} {Text}|{Json} [VM[/NIC]]\", \"{Metrics}\", \"{Describe} VM/NIC\", \"{Pass} VM/NIC\", \"{ChangeRequests.Plan}|{ChangeRequests.Apply} {Text}|{Json} [FILE]\", \"{ChangeRequests.Restart} VM[/NIC]\", \"{Plugins}|{Rescan} {Text}|{Json}\".");
        }
    }

    private static async Task<ControlAnswer> PassAsync(NicInstance nic, IReadOnlyList<SafeHandle> descriptors)
    {
        try
        {
            if (descriptors.Count == 0) throw new ControlException("No descriptor came with the request. Send them along with its first byte (SCM_RIGHTS), or use \"nichost pass\".");
            return $"{await nic.PassAsync(descriptors)}\n";
        }
        catch (IOException e) { throw new ControlException(e.Message); }
    }

    private NicInstance[] Find(string name)
    {
        NicInstance[] nics = [.. host.Nics.Where(nic => nic.Identity.Vm == name || nic.Identity.ToString() == name)];
        return nics.Length > 0 || host.Vms.Any(vm => vm.Name == name) ? nics : throw Unknown(name);
    }

    private ControlException Unknown(string name) =>
        new($"There is no \"{name}\". NICs: {string.Join(", ", host.Nics.Select(nic => nic.Model.Identity))}.");
}
