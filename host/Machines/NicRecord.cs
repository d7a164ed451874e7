using Microsoft.Extensions.Logging;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;
using NicHost.Host.Diagnostics;

namespace NicHost.Host.Machines;

/// <summary>What is remembered of a NIC across its restarts: counters, faults, who is attached. Any thread.</summary>
internal sealed partial class NicRecord(NicIdentity nic, ILogger log, TimeProvider time)
{
    private const int LogsPerSecond = 2;

    private readonly Lock _gate = new();
    private readonly List<QueueCounters> _counters = [];
    private string? _attached;
    private long _attachments;
    private (long Count, string? Last) _guestFaults;
    private (long Count, string? Last) _troubles;
    private long _logSecond;
    private int _loggedThisSecond;

    public NicIdentity Nic { get; } = nic;

    public TimeProvider Time { get; } = time;

    public QueueCounters Counters(int queue)
    {
        lock (_gate)
        {
            while (_counters.Count <= queue) _counters.Add(new QueueCounters());
            return _counters[queue];
        }
    }

    public void Attachment(string? peer)
    {
        lock (_gate)
        {
            if (peer is not null) _attachments++;
            _attached = peer;
        }
        if (peer is not null) LogAttached(log, Nic.ToString(), peer);
        else LogDetached(log, Nic.ToString());
    }

    public void GuestFault(string reason)
    {
        bool tell;
        lock (_gate)
        {
            _guestFaults = (_guestFaults.Count + 1, reason);
            tell = MayLog();
        }
        if (tell) LogGuestFault(log, Nic.ToString(), reason);
    }

    public void Trouble(string reason)
    {
        bool tell;
        lock (_gate)
        {
            _troubles = (_troubles.Count + 1, reason);
            tell = MayLog();
        }
        if (tell) LogTrouble(log, Nic.ToString(), reason);
    }

    public NicTally Tally()
    {
        lock (_gate)
        {
            return new NicTally
            {
                Attached = _attached,
                Attachments = _attachments,
                GuestFaults = _guestFaults.Count,
                LastGuestFault = _guestFaults.Last,
                HostTroubles = _troubles.Count,
                LastHostTrouble = _troubles.Last,
                Queues = [.. _counters],
            };
        }
    }

    public void Inspect(InspectWriter writer)
    {
        var tally = Tally();
        writer.Value("attached", tally.Attached);
        writer.Value("attachments", tally.Attachments);
        writer.Value("guestFaults", tally.GuestFaults);
        if (tally.LastGuestFault is { } fault) writer.Value("lastGuestFault", fault);
        writer.Value("hostTroubles", tally.HostTroubles);
        if (tally.LastHostTrouble is { } trouble) writer.Value("lastHostTrouble", trouble);
        for (var i = 0; i < tally.Queues.Count; i++)
        {
            using (writer.Section($"queue{i}")) tally.Queues[i].Inspect(writer);
        }
    }

    // A guest may make mistakes as fast as it likes; all are counted, few are logged.
    private bool MayLog()
    {
        var second = Time.GetTimestamp() / Time.TimestampFrequency;
        if (second != _logSecond) (_logSecond, _loggedThisSecond) = (second, 0);
        return _loggedThisSecond++ < LogsPerSecond;
    }

    [LoggerMessage(200, LogLevel.Information, "{Nic}: {Peer} attached.")]
    private static partial void LogAttached(ILogger log, string nic, string peer);

    [LoggerMessage(201, LogLevel.Information, "{Nic}: detached.")]
    private static partial void LogDetached(ILogger log, string nic);

    [LoggerMessage(202, LogLevel.Warning, "{Nic}: the guest or its VMM made a mistake: {Reason}")]
    private static partial void LogGuestFault(ILogger log, string nic, string reason);

    [LoggerMessage(203, LogLevel.Warning, "{Nic}: trouble on the host: {Reason}")]
    private static partial void LogTrouble(ILogger log, string nic, string reason);
}
