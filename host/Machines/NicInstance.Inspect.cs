using NicHost.Contracts.Diagnostics;
using NicHost.Loops;

namespace NicHost.Host.Machines;

/// <content>The NIC's state as a tree.</content>
internal sealed partial class NicInstance
{
    /// <summary>The loop that its state is taken on; null when nothing runs.</summary>
    public EventLoop? Loop => _run?.FirstLoop;

    /// <summary>Taken on the NIC's own loop.</summary>
    public async Task<InspectNode> InspectAsync(CancellationToken deadline)
    {
        if (_run is not { } run) return Inspect(null);
        // A loop that hangs needs no more work posted to it.
        if (deadline.IsCancellationRequested) return Unresponsive();
        var answer = run.Invoke(() => Inspect(run));
        try { return await answer.WaitAsync(deadline); }
        catch (OperationCanceledException) { return answer.IsCompletedSuccessfully ? await answer : Unresponsive(); }
    }

    private InspectNode Unresponsive()
    {
        var writer = Header();
        writer.Value("unresponsive", true);
        return writer.Root;
    }

    private InspectNode Inspect(NicRun? run)
    {
        var writer = Header();
        _record.Inspect(writer);
        run?.Inspect(writer);
        return writer.Root;
    }

    private InspectWriter Header()
    {
        var (writer, model) = (new InspectWriter(Identity.Nic), Model);
        writer.Value("state", InspectWriter.CamelCase(State.ToString()));
        if (Reason is { } reason) writer.Value("lastFault", reason);
        writer.Value("faults", Faults);
        writer.Value("restarts", Restarts);
        writer.Value("mac", model.Mac.ToString());
        writer.Value("mtu", model.Mtu);
        return writer;
    }
}
