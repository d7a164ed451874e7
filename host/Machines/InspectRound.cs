using NicHost.Contracts.Diagnostics;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <summary>
/// Asks many NICs for their state. Loops are asked side by side, the NICs of one loop one after another, so that its other work goes on between them.
/// All of it has one deadline: a loop that hangs costs that, however many NICs it has.
/// </summary>
internal static class InspectRound
{
    /// <summary>How long all of it may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <returns>What each NIC shows, in their order; one that did not answer in time says so.</returns>
    public static async Task<InspectNode[]> AskAsync(IReadOnlyList<NicInstance> nics, TimeProvider time)
    {
        using var deadline = new CancellationTokenSource(Limit, time);
        var answers = new InspectNode[nics.Count];
        var byLoop = Enumerable.Range(0, nics.Count).GroupBy(i => nics[i].Loop);
        await Task.WhenAll(byLoop.Select(loop => AskAsync(loop, nics, answers, deadline.Token)));
        return answers;
    }

    private static async Task AskAsync(IGrouping<EventLoop?, int> loop, IReadOnlyList<NicInstance> nics, InspectNode[] answers, CancellationToken deadline)
    {
        foreach (var i in loop) answers[i] = await nics[i].InspectAsync(deadline).ConfigureAwait(false);
    }
}
