using Microsoft.Extensions.Logging;
using NicHost.Linux;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio;

/// <content>Front-ends come and go.</content>
internal sealed partial class VirtioDevice
{
    private Fd? _waiting;
    private string? _peer;

    public void ConfigRead()
    {
        _told.Review();
        // Posted: its answer is to leave first.
        if (_ending is not null) Loop.Post(() => _session?.End(null));
    }

    public void Reconciled() => _untold.Review();

    public void Ended(Session session)
    {
        _linger?.Dispose();
        _told.Ended();
        _untold.Ended();
        _session = null;
        _peer = null;
        Backend.ReportAttachment(null);
        var waiting = _waiting;
        _waiting = null;
        if (_ending is { } ending)
        {
            waiting?.Dispose();
            ending.TrySetResult();
        }
        else if (waiting is not null) Attach(waiting);
        else _source?.Next();
    }

    /// <summary>A front-end is there: taken when none is, or when the present one is gone without our having noticed yet.</summary>
    private Admission Admit(Fd socket)
    {
        if (_session is { IsHungUp: true } gone) gone.End(null);
        if (_session is { HasEnded: false }) return Admission.Busy;
        if (_untold.Keeps(_processOf(socket))) return Admission.LinkDown;
        if (_session is null)
        {
            Attach(socket);
            return Admission.Taken;
        }
        // The last one's queues are still stopping on their loops.
        _waiting?.Dispose();
        _waiting = socket;
        return Admission.Taken;
    }

    private void Attach(Fd socket)
    {
        _peer = UnixSocket.GetPeer(socket.Raw, out var peer).Ok ? $"pid {peer.ProcessId}, uid {peer.UserId}" : "a front-end";
        _control!.State.Reset();
        _session = new Session(socket, this);
        _told.Attached(_session);
        _untold.Attached(_session, _processOf(socket));
        Backend.ReportAttachment(_peer);
    }

    private void HangUp(Session session)
    {
        Told.HungUp(_log, _peer);
        session.End(null);
    }

    private void OnFault(int firstRing, string reason, bool isFatal)
    {
        if (Loop.IsCurrent) _session?.QueueFailed(firstRing, reason, isFatal);
        else Loop.Post(() => _session?.QueueFailed(firstRing, reason, isFatal));
    }

    private static partial class Told
    {
        [LoggerMessage(20, LogLevel.Information, "The link is down: {Peer} is disconnected to show that to its guest, and taken back when the link is up")]
        public static partial void HungUp(ILogger logger, string? peer);
    }
}
