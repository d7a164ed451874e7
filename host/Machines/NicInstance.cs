using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>A NIC from start to stop: makes it, and makes it anew after a fault, at first after one second, later after up to 30.</summary>
internal sealed partial class NicInstance(
    NicModel model, LoopPool loops, VmScope vm, ILoggerFactory logging, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan InspectLimit = TimeSpan.FromSeconds(2);

    private readonly ILogger _log = logging.CreateLogger("NicHost.Nics");
    private readonly NicRecord _record = new(model, logging.CreateLogger("NicHost.Nics"), time);
    private readonly CancellationTokenSource _stopping = new();
    private readonly TaskCompletionSource _tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _supervisor = Task.CompletedTask;
    private volatile NicRun? _run;
    private volatile string? _reason;
    private volatile NicState _state;
    private long _restarts;

    public NicModel Model => model;

    public NicState State => _state;

    /// <summary>Why it is faulted, or was the last time.</summary>
    public string? Reason => _reason;

    public IReadOnlyList<AttachHint> AttachHints => _run?.AttachHints ?? [];

    /// <summary>Starts it; completes after the first attempt, whether that worked or not.</summary>
    public Task StartAsync()
    {
        _supervisor = Task.Run(SuperviseAsync);
        return _tried.Task;
    }

    /// <summary>Ends the supervision; what runs is handed out to be stopped.</summary>
    public async Task<NicRun?> EndAsync()
    {
        await _stopping.CancelAsync();
        await _supervisor;
        _tried.TrySetResult();
        _state = NicState.Stopped;
        return Interlocked.Exchange(ref _run!, null);
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>The NIC's state as a tree, taken on its own loop.</summary>
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
        var writer = new InspectWriter(model.Identity.Nic);
        writer.Value("state", InspectWriter.CamelCase(State.ToString()));
        if (Reason is { } reason) writer.Value("lastFault", reason);
        writer.Value("restarts", Interlocked.Read(ref _restarts));
        writer.Value("mac", model.Mac.ToString());
        writer.Value("mtu", model.Mtu);
        return writer;
    }

    private async Task SuperviseAsync()
    {
        var delay = FirstDelay;
        while (!_stopping.IsCancellationRequested)
        {
            var since = time.GetTimestamp();
            if (await LiveAsync()) return;
            if (time.GetElapsedTime(since) > LongestDelay * 2) delay = FirstDelay;
            try { await Task.Delay(delay, time, _stopping.Token); }
            catch (OperationCanceledException) { return; }
            delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
            Interlocked.Increment(ref _restarts);
        }
    }

    /// <summary>One life.</summary>
    /// <returns>True when it was ended by a stop and not by a fault; the run is then left to be stopped.</returns>
    private async Task<bool> LiveAsync()
    {
        NicRun? run = null;
        _state = NicState.Starting;
        try
        {
            run = NicRun.Create(_record, loops, logging, vm);
            await run.StartAsync();
            _run = run;
            _state = NicState.Running;
            _tried.TrySetResult();
            Fail(await run.Faulted.WaitAsync(_stopping.Token), "A handler failed: ");
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            return true;
        }
#pragma warning disable CA1031 // whatever a plugin throws is this NIC's end only
        catch (Exception e) { Fail(e, ""); }
#pragma warning restore CA1031
        _run = null;
        if (run is not null) await StopAsync(run);
        _tried.TrySetResult();
        return false;
    }

    private void Fail(Exception e, string prefix)
    {
        // The message of an IOException is written for people: path and remedy.
        var reason = e is IOException or Contracts.Options.OptionsException ? e.Message : prefix + PluginFault.Describe(e);
        _state = NicState.Faulted;
        _reason = reason;
        if (prefix.Length > 0) LogFault(_log, e, model.Identity.ToString());
        else LogNotStarted(_log, model.Identity.ToString(), reason);
    }

    private static async Task StopAsync(NicRun run)
    {
        await run.SilenceAsync();
        await run.DisposeDeviceAsync();
        await run.DisposeEndpointAsync();
        await run.EndLoopsAsync();
    }

    [LoggerMessage(210, LogLevel.Error, "{Nic}: a plugin's handler failed; the NIC is made anew.")]
    private static partial void LogFault(ILogger log, Exception e, string nic);

    [LoggerMessage(211, LogLevel.Error, "{Nic}: cannot start, will be tried again: {Reason}")]
    private static partial void LogNotStarted(ILogger log, string nic, string reason);
}
