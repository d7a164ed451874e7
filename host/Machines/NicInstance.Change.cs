using NicHost.Host.Changes;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <content>
/// Changes from outside. They come in three steps, each for all NICs of a change before the next: what has to go, goes; what can change
/// in place, does; what is new, comes. So a port or a socket can pass from one NIC to another.
/// </content>
internal sealed partial class NicInstance
{
    /// <summary>First step: ends what the change takes away.</summary>
    public Task ReleaseAsync(NicChangeKind kind) => InTurnAsync(async () =>
    {
        if (_run is not { } run) return;
        _state = NicState.Changing;
        if (kind == NicChangeKind.Move)
        {
            await run.UnplugAsync();
            return;
        }
        _run = null;
        await run.ShowLinkDownAsync();
        await run.DisposeDeviceAsync();
        await run.DisposeEndpointAsync();
        await run.EndLoopsAsync();
    });

    /// <summary>Second step: options that change in place.</summary>
    /// <returns>Why the NIC keeps its old options; null when it has the new ones.</returns>
    public async Task<string?> UpdateAsync(NicModel wanted, bool device, bool endpoint)
    {
        string? failure = null;
        await InTurnAsync(async () =>
        {
            if (_run is not { } run)
            {
                failure = await StartAsAsync(wanted);
                return;
            }
            try { await run.UpdateAsync(wanted, device, endpoint); }
#pragma warning disable CA1031 // the plugin keeps what it had; why, is for the operator to read
            catch (Exception e) { failure = Describe(e); }
#pragma warning restore CA1031
            _model = run.Model;
        });
        return failure;
    }

    /// <summary>Third step: the NIC as it is wanted.</summary>
    /// <returns>Why it is not so; null when it is.</returns>
    public async Task<string?> AcquireAsync(NicModel wanted)
    {
        string? failure = null;
        await InTurnAsync(async () => failure = _run is { } run ? await MoveAsync(run, wanted) : await StartAsAsync(wanted));
        return failure;
    }

    private async Task<string?> StartAsAsync(NicModel wanted)
    {
        _model = wanted;
        _backoff.Reset();
        await TryStartAsync();
        return _state == NicState.Running ? null : $"{_reason} It will be tried again.";
    }

    private async Task<string?> MoveAsync(NicRun run, NicModel wanted)
    {
        var failure = await PlugAsync(run, wanted);
        if (failure is null) return null;
        var before = _model.Endpoint.Kind;
        if (await PlugAsync(run, _model) is null) return $"{failure} It stays on {before}.";
        // Neither goes: the NIC is made anew, as it is wanted.
        _run = null;
        await StopAsync(run);
        _model = wanted;
        Fail(failure);
        Retry();
        return $"{failure} It will be tried again.";
    }

    private async Task<string?> PlugAsync(NicRun run, NicModel wanted)
    {
        try
        {
            await run.PlugAsync(wanted);
            _model = wanted;
            _state = NicState.Running;
            return null;
        }
#pragma warning disable CA1031 // whatever a plugin throws is this NIC's affair only
        catch (Exception e) { return Describe(e); }
#pragma warning restore CA1031
    }

    // The message of an IOException is written for people: path and remedy.
    private static string Describe(Exception e) => e is IOException or Contracts.Options.OptionsException ? e.Message : PluginFault.Describe(e);
}
