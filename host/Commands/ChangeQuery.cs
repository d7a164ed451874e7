using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary>A command that changes what runs: prints what came of it, and ends with it.</summary>
internal static class ChangeQuery
{
    public static Task<int> RunAsync(string? control, string request, CancellationToken cancel) => OperatorQuery.GuardAsync(async () =>
    {
        var answer = await ControlClient.AskAsync(control ?? ControlPath.ForClient, request, cancel);
        var end = answer.IndexOf('\n', StringComparison.Ordinal);
        var (outcome, text) = (answer[..end], answer[(end + 1)..]);
        (outcome == ChangeRequests.Invalid ? Console.Error : Console.Out).Write(text);
        return outcome == ChangeRequests.Done ? ExitCode.Fine : ExitCode.Faults;
    });
}
