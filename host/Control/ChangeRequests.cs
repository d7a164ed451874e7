using NicHost.Contracts.Nics;
using NicHost.Host.Changes;
using NicHost.Host.Topology;

namespace NicHost.Host.Control;

/// <summary>Requests that change what runs. The first line of their answers says what came of it, the rest is for the operator.</summary>
internal static class ChangeRequests
{
    public const string Apply = "apply";
    public const string Restart = "restart";
    public const string Plan = "plan";

    /// <summary>All is as wanted, or, of a plan, could be.</summary>
    public const string Done = "done";

    /// <summary>Some of it could not be done.</summary>
    public const string Failed = "failed";

    /// <summary>The topology has faults: nothing was changed.</summary>
    public const string Invalid = "invalid";

    private static readonly Dictionary<NicIdentity, string> NoFailures = [];

    /// <summary>Answers such a request.</summary>
    /// <returns>Null when it is another one.</returns>
    public static async Task<string?> AnswerAsync(LiveTopology live, string[] words)
    {
        try
        {
            switch (words)
            {
                case [Plan, ControlRequests.Text or ControlRequests.Json]:
                    return Answer(words[1], await live.PlanAsync(), applied: false, NoFailures);
                case [Apply, ControlRequests.Text or ControlRequests.Json]:
                    var result = await live.ApplyAsync();
                    return Answer(words[1], result.Plan, applied: true, result.Failures);
                case [Plan, ControlRequests.Text or ControlRequests.Json, var file]:
                    return Answer(words[1], await live.PlanAsync(Uri.UnescapeDataString(file)), applied: false, NoFailures);
                case [Apply, ControlRequests.Text or ControlRequests.Json, var file]:
                    var replaced = await live.ApplyAsync(Uri.UnescapeDataString(file));
                    return Answer(words[1], replaced.Plan, applied: true, replaced.Failures);
                case [Restart, var target]:
                    var names = target.Split('/', 2);
                    return Answer(target, await live.RestartAsync(names[0], names.Length > 1 ? names[1] : null));
                default:
                    return null;
            }
        }
        catch (TopologyException e)
        {
            return $"{Invalid}\n{string.Concat(e.Faults.Select(fault => $"{fault}\n"))}";
        }
    }

    private static string Answer(string form, ChangePlan plan, bool applied, IReadOnlyDictionary<NicIdentity, string> failures) =>
        $"{(failures.Count == 0 ? Done : Failed)}\n"
        + (form == ControlRequests.Json ? ChangeJson.Render(plan, applied, failures) : ChangeText.Render(plan, failures));

    private static string Answer(string target, IReadOnlyDictionary<NicIdentity, string> failures) => failures.Count == 0
        ? $"{Done}\n{target} was started anew.\n"
        : $"{Failed}\n{string.Concat(failures.OrderBy(f => f.Key.ToString(), StringComparer.Ordinal).Select(f => $"{f.Key}: {f.Value}\n"))}";
}
