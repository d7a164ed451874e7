using NicHost.Host.Diagnostics;
using NicHost.Host.Machines;

namespace NicHost.Host.Control;

/// <summary>What operators may ask of a running host.</summary>
internal static class ControlRequests
{
    public const string Inspect = "inspect";
    public const string Json = "json";
    public const string Text = "text";

    public static async Task<string> AnswerAsync(HostRuntime host, string[] words)
    {
        if (words is not [Inspect, Json or Text, .. { Length: <= 1 } target])
            throw new ControlException($"Unknown request. Known: \"{Inspect} {Text}|{Json} [VM[/NIC]]\".");
        var node = await host.InspectAsync(target is [var name] ? name : null)
            ?? throw new ControlException($"There is no \"{target[0]}\". NICs: {string.Join(", ", host.Nics.Select(nic => nic.Model.Identity))}.");
        return words[1] == Json ? InspectRenderer.Json(node) : InspectRenderer.Text(node);
    }
}
