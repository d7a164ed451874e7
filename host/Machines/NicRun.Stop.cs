using NicHost.Contracts.Loops;

namespace NicHost.Host.Machines;

/// <content>The end of a NIC's life, in the steps that a VM takes for all of its NICs together.</content>
internal sealed partial class NicRun
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(5);

    /// <summary>Shows the guest a link that is down.</summary>
    public Task ShowLinkDownAsync() => Bounded("link down", Invoke(() => SetAdminLink(up: false)));

    /// <summary>After a fault: no handler of this NIC runs any more, on none of its loops.</summary>
    public Task SilenceAsync() => Bounded("silence", Task.WhenAll(
        [.. _loops.Distinct().Select(l => l.Shared.InvokeAsync(l.Silence)), _endpoint?.SilenceAsync() ?? Task.CompletedTask]));

    // On the pool: a DisposeAsync that blocks before its first await must not block the host.
    public Task DisposeDeviceAsync() => Bounded("device", Task.Run(async () =>
    {
        using (_meters) await _device.DisposeAsync();
    }));

    public Task DisposeEndpointAsync() => Bounded("endpoint", _endpoint?.DisposeAsync() ?? Task.CompletedTask);

    /// <summary>Removes what device and endpoint left on the loops, and gives the loops back.</summary>
    public async Task EndLoopsAsync()
    {
        _fault.TrySetCanceled();
        await Bounded("loops", Task.WhenAll(
            [.. _loops.Distinct().Select(l => l.Shared.InvokeAsync(l.End)), _endpoint?.EndAsync() ?? Task.CompletedTask]));
        // One that was taken for all queues is given back once.
        foreach (var thread in Endpoint.Threading == Contracts.Endpoints.QueueThreading.SharedLoop ? _threads[..1] : _threads) _pool.Return(thread);
    }

    private async Task Bounded(string what, Task step)
    {
        try { await step.WaitAsync(StopLimit, Record.Time); }
#pragma warning disable CA1031 // a plugin that fails to stop must not keep the others from stopping
        catch (Exception e) { Record.Trouble($"Stopping failed ({what}): {Plugins.PluginFault.Describe(e)}"); }
#pragma warning restore CA1031
    }
}
