using NicHost.Host.Changes;
using NicHost.Host.Diagnostics;
using NicHost.Host.Machines;

namespace NicHost.Host.Control;

/// <summary>What operators may ask of a running host.</summary>
internal static class ControlRequests
{
    public const string Inspect = "inspect";
    public const string Describe = "describe";
    public const string Json = "json";
    public const string Text = "text";

    public static async Task<ControlAnswer> AnswerAsync(HostRuntime host, LiveTopology live, string[] words)
    {
        if (await ChangeRequests.AnswerAsync(live, words) is { } change) return change;
        switch (words)
        {
            case [Inspect, Json or Text, .. { Length: <= 1 } rest]:
                var target = rest is [var name] ? name : null;
                var node = await host.InspectAsync(target) ?? throw Unknown(host, target!);
                return words[1] == Json ? InspectRenderer.Json(node) : InspectRenderer.Text(node);
            case [Describe, var nic]:
                return NicDescription.Render(host.Nics.FirstOrDefault(n => n.Model.Identity.ToString() == nic)?.Model ?? throw Unknown(host, nic));
            default:
                throw new ControlException($"Unknown request. Known: \"{Inspect} {Text}|{Json} [VM[/NIC]]\", \"{Describe} VM/NIC\", \"{ChangeRequests.Plan}|{ChangeRequests.Apply} {Text}|{Json} [FILE]\", \"{ChangeRequests.Restart} VM[/NIC]\".");
        }
    }

    private static ControlException Unknown(HostRuntime host, string name) =>
        new($"There is no \"{name}\". NICs: {string.Join(", ", host.Nics.Select(nic => nic.Model.Identity))}.");
}
