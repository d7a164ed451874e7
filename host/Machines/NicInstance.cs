using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Nics;
using NicHost.Host.Diagnostics;
using NicHost.Host.Plugins;
using NicHost.Host.Topology;

namespace NicHost.Host.Machines;

/// <summary>
/// A NIC from start to stop. After a fault it is made anew, later each time, as its restart policy says. What starts, stops or changes it
/// takes turns; a fault waits for its own.
/// </summary>
internal sealed partial class NicInstance(NicModel model, LoopPool loops, VmScope vm, ILoggerFactory logging, TimeProvider time) : IDisposable
{
    private readonly ILogger _log = logging.CreateLogger("NicHost.Nics");
    private readonly NicRecord _record = new(model.Identity, logging.CreateLogger("NicHost.Nics"), time);
    private readonly Backoff _backoff = new(time);
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _retry = Task.CompletedTask;
    private volatile NicModel _model = model;
    private volatile NicRun? _run;
    private volatile string? _reason;
    private volatile NicState _state;
    private long _since;
    private long _restarts;
    private long _faults;

    public NicIdentity Identity { get; } = model.Identity;

    /// <summary>As it is wired now.</summary>
    public NicModel Model => _model;

    public NicState State => _state;

    /// <summary>Why it is faulted, or was the last time.</summary>
    public string? Reason => _reason;

    /// <summary>How often it was made anew after a fault.</summary>
    public long Restarts => Interlocked.Read(ref _restarts);

    /// <summary>How often it has failed, whether it was made anew or not.</summary>
    public long Faults => Interlocked.Read(ref _faults);

    public LinkState Link => _run?.Link ?? LinkState.Down;

    /// <summary>What is remembered of it.</summary>
    public NicTally Tally() => _record.Tally();

    public IReadOnlyList<AttachHint> AttachHints => _run?.AttachHints ?? [];

    /// <summary>What bounds a move to another endpoint; null while nothing runs that could be moved.</summary>
    public NicShape? Shape => _run?.Shape;

    /// <summary>Hands descriptors to its endpoint, whose they are from now on.</summary>
    /// <returns>What they are, in the endpoint's words.</returns>
    /// <exception cref="IOException">It does not take them, or does not answer.</exception>
    public async Task<string> PassAsync(IReadOnlyList<SafeHandle> descriptors)
    {
        if (_run is { } run)
        {
            try { return await run.PassAsync(descriptors); }
            catch (TimeoutException e) { throw new IOException($"{Identity} does not answer.", e); }
        }
        foreach (var descriptor in descriptors) descriptor.Dispose();
        throw new IOException($"{Identity} does not run{(Reason is { } why ? $": {why}" : "")}.");
    }

    /// <summary>Starts it; completes after the first attempt, whether that worked or not.</summary>
    public Task StartAsync() => InTurnAsync(TryStartAsync);

    /// <summary>Ends the supervision; what runs is handed out to be stopped.</summary>
    public async Task<NicRun?> EndAsync()
    {
        await _stopping.CancelAsync();
        await _turn.WaitAsync();
        try
        {
            await _retry;
            _state = NicState.Stopped;
            return Interlocked.Exchange(ref _run!, null);
        }
        finally { _turn.Release(); }
    }

    // The turn is not disposed: a retry or a fault may still be waiting for it, finds that all is over, and gives it back.
    public void Dispose() => _stopping.Dispose();

    private async Task InTurnAsync(Func<Task> work)
    {
        await _turn.WaitAsync();
        try
        {
            if (!_stopping.IsCancellationRequested) await work();
        }
        finally { _turn.Release(); }
    }

    private async Task TryStartAsync()
    {
        _state = NicState.Starting;
        _since = time.GetTimestamp();
        NicRun? run = null;
        try
        {
            run = NicRun.Create(_model, _record, loops, logging, vm);
            await run.StartAsync();
            _run = run;
            _state = NicState.Running;
            _ = WatchAsync(run);
        }
#pragma warning disable CA1031 // whatever a plugin throws is this NIC's end only
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(Describe(e));
            LogNotStarted(_log, Identity.ToString(), _reason!);
            if (run is not null) await StopAsync(run);
            Retry();
        }
    }

    /// <summary>Waits for a life's fault, however long that is.</summary>
    private async Task WatchAsync(NicRun run)
    {
        Exception fault;
        try { fault = await run.Faulted; }
        catch (OperationCanceledException) { return; }
        await InTurnAsync(async () =>
        {
            if (_run != run) return;
            Fail($"A handler failed: {PluginFault.Describe(fault)}");
            LogFault(_log, fault, Identity.ToString());
            _run = null;
            await StopAsync(run);
            Retry();
        });
    }

    private void Fail(string reason)
    {
        Interlocked.Increment(ref _faults);
        _state = NicState.Faulted;
        _reason = reason;
    }

    private void Retry()
    {
        if (_backoff.Next(_model.Restart, time.GetElapsedTime(_since)) is { } delay)
        {
            _retry = RetryAsync(delay);
            return;
        }
        _state = NicState.GivenUp;
        LogGivenUp(_log, Identity.ToString(), _model.Restart.Limit, _model.Restart.Window.TotalSeconds);
    }

    private async Task RetryAsync(TimeSpan delay)
    {
        try { await Task.Delay(delay, time, _stopping.Token); }
        catch (OperationCanceledException) { return; }
        // Not waited for by EndAsync in its turn: this one looks at the token after it has its own.
        _ = InTurnAsync(() =>
        {
            if (_state != NicState.Faulted) return Task.CompletedTask;
            Interlocked.Increment(ref _restarts);
            return TryStartAsync();
        });
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

    [LoggerMessage(212, LogLevel.Error, "{Nic}: given up after {Limit} restarts within {Seconds} s. Correct the cause, then: nichost restart {Nic}")]
    private static partial void LogGivenUp(ILogger log, string nic, int limit, double seconds);
}
