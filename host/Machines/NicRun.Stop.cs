using NicHost.Contracts.Loops;

namespace NicHost.Host.Machines;

/// <summary>The end of a NIC's life, in the steps that a VM takes for all of its NICs together.</summary>
internal sealed partial class NicRun
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>Shows the guest a link that is down.</summary>
    public Task ShowLinkDownAsync() => Bounded("link down", Invoke(() =>
    {
        _adminUp = false;
        RefreshLink(tellDevice: true);
    }));

    /// <summary>After a fault: no handler of this NIC runs any more, on none of its loops.</summary>
    public Task SilenceAsync() => Bounded("silence", Task.WhenAll(_loops.Distinct().Select(l => l.Shared.InvokeAsync(l.Silence))));

    public Task DisposeDeviceAsync() => Bounded("device", Dispose(_device));

    public Task DisposeEndpointAsync() => Bounded("endpoint", Dispose(_endpoint));

    /// <summary>Removes what device and endpoint left on the loops.</summary>
    public async Task EndLoopsAsync()
    {
        await Bounded("loops", Task.WhenAll(_loops.Distinct().Select(l => l.Shared.InvokeAsync(l.End))));
        _pool.Return(_loops[0].Shared);
        if (Endpoint.Threading == Contracts.Endpoints.QueueThreading.SharedLoop) return;
        foreach (var loop in _loops.Skip(1)) _pool.Return(loop.Shared);
    }

    // On the pool: a DisposeAsync that blocks before its first await must not block the host.
    private static Task Dispose(IAsyncDisposable part) => Task.Run(async () => await part.DisposeAsync());

    private async Task Bounded(string what, Task step)
    {
        try { await step.WaitAsync(StopLimit, _record.Time); }
#pragma warning disable CA1031 // a plugin that fails to stop must not keep the others from stopping
        catch (Exception e) { _record.Trouble($"Stopping failed ({what}): {Plugins.PluginFault.Describe(e)}"); }
#pragma warning restore CA1031
    }
}
