using NicHost.Dio.Shape;

namespace NicHost.Dio.Windows;

/// <summary>The NIC's end, and its return: a NIC whose reads fail is closed and made again, until that works.</summary>
internal sealed partial class VmSwitchNic
{
    private const int FirstRetryMilliseconds = 250;
    private const int LastRetryMilliseconds = 16_000;
    private int _retryMilliseconds = FirstRetryMilliseconds / 2;
    private long _adopted;
    private Task _releasing = Task.CompletedTask;
    private Task _opening = Task.CompletedTask;
    private OpenedNic? _reopened;
    private volatile int _held;

    /// <summary>The NIC does not read any more. On the loop.</summary>
    public void Lost(FrameIo io)
    {
        if (_ended || _io != io) return;
        _io = null;
        // One that was made and is lost at once is no success.
        if (_context.Loop.NowMilliseconds - _adopted > LastRetryMilliseconds) _retryMilliseconds = FirstRetryMilliseconds / 2;
        var name = _opened?.Switch.Name;
        _opened = null;
        Down($"the NIC in switch \"{name}\" is gone: {io.Reads.Failure}");
        _queue?.Detach();
        _releasing = ReleaseAsync(io);
    }

    public async Task EndAsync()
    {
        _ended = true;
        _retry.Dispose();
        var io = _io;
        _io = null;
        // From here on the reads and writes are not the loop's.
        _queue?.Detach();
        if (io is not null) _held = await io.EndAsync();
        await _releasing;
        await _opening;
        // One that came too late.
        Interlocked.Exchange(ref _reopened, null)?.Dispose();
    }

    private async Task ReleaseAsync(FrameIo io)
    {
        _held = await io.EndAsync();
        _context.Loop.Post(() =>
        {
            // Whoever ended the NIC meanwhile has undone it.
            if (_ended) return;
            foreach (var left in _made?.Undo() ?? []) Down(left);
            _held = 0;
            RetryLater();
        });
    }

    private void Reopen()
    {
        // Not on the loop: others live there, and this may take seconds.
        _opening = Task.Run(() =>
        {
            try
            {
                Interlocked.Exchange(ref _reopened, _opener.Open())?.Dispose();
                _context.Loop.Post(() => Reopened(null));
            }
#pragma warning disable CA1031 // told as the link's reason
            catch (Exception e) { _context.Loop.Post(() => Reopened(e.Message)); }
#pragma warning restore CA1031
        });
    }

    private void Reopened(string? failure)
    {
        if (_ended) return;
        if (failure is null && Interlocked.Exchange(ref _reopened, null) is { } opened)
        {
            Adopt(opened);
            _linkChanged?.Invoke();
            return;
        }
        Down(failure ?? "not connected");
        RetryLater();
    }

    private void RetryLater()
    {
        _retryMilliseconds = Math.Min(_retryMilliseconds * 2, LastRetryMilliseconds);
        _retry.Set(_retryMilliseconds);
    }

    private void Down(string reason)
    {
        if (_link.Reason == reason) return;
        _link = NicLink.Down(reason);
        _linkChanged?.Invoke();
    }

    private string? Undo(MadeThing thing)
    {
        if (thing.Kind != MadeKind.VmSwitchNic)
        {
            _toUndo?.ClosePort();
            return null;
        }
        _toUndo?.CloseNic();
        return _held == 0 ? null : $"the kernel has not ended {_held} reads and writes, and their memory is kept until it has";
    }
}
