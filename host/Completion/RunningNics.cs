using System.CommandLine.Completions;
using System.Text.Json;
using NicHost.Host.Control;

namespace NicHost.Host.Completion;

/// <summary>Names of a running host, which the line may name by <c>--control</c>. Without a host there are none.</summary>
internal static class RunningNics
{
    // Somebody waits with a finger on a key.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Its VMs and its NICs as VM/NIC.</summary>
    public static IEnumerable<CompletionItem> VmsAndNics(CompletionContext context) =>
        Ask(context).SelectMany(nic => new[] { nic.Vm, $"{nic.Vm}/{nic.Nic}" }).Distinct(StringComparer.Ordinal).Select(name => new CompletionItem(name));

    /// <summary>Its NICs as VM/NIC.</summary>
    public static IEnumerable<CompletionItem> Nics(CompletionContext context) => Ask(context).Select(nic => new CompletionItem($"{nic.Vm}/{nic.Nic}"));

    private static IReadOnlyList<(string Vm, string Nic)> Ask(CompletionContext context)
    {
        try
        {
            var path = context.ParseResult.GetValue<string?>("--control") ?? ControlPath.ForClient;
            using var limit = new CancellationTokenSource(Patience);
            var answer = Task.Run(() => ControlClient.AskAsync(path, $"{ControlRequests.Status} {ControlRequests.Json}", limit.Token)).GetAwaiter().GetResult();
            using var nics = JsonDocument.Parse(answer);
            return [.. nics.RootElement.EnumerateArray().Select(nic => (nic.GetProperty("vm").GetString()!, nic.GetProperty("nic").GetString()!))];
        }
        // A line that is not finished, no host, or one that does not answer in time: nothing to offer.
        catch (Exception e) when (e is ControlException or OperationCanceledException or InvalidOperationException or ArgumentException or JsonException) { return []; }
    }
}
