using System.Runtime.InteropServices;

namespace NicHost.Host.Commands;

/// <summary>SIGINT or SIGTERM asks for a clean stop; a second one ends the process at once.</summary>
internal sealed class StopSignal : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignal() => _registrations = [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal)];

    /// <summary>Completes with the first signal.</summary>
    public Task Requested => _done.Task;

    /// <summary>Cancelled with the first signal.</summary>
    public CancellationToken Token => _requested.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _requested.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (!_done.TrySetResult()) return;
        context.Cancel = true;
        _requested.Cancel();
    }
}
