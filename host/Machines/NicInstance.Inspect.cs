using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Machines;

/// <content>The NIC's state as a tree.</content>
internal sealed partial class NicInstance
{
    private static readonly TimeSpan InspectLimit = TimeSpan.FromSeconds(2);

    /// <summary>Taken on the NIC's own loop.</summary>
    public async Task<InspectNode> InspectAsync()
    {
        if (_run is not { } run) return Inspect(null);
        try
        {
            return await run.Invoke(() => Inspect(run)).WaitAsync(InspectLimit);
        }
        catch (TimeoutException)
        {
            var writer = Header();
            writer.Value("unresponsive", true);
            return writer.Root;
        }
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
