using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Tells systemd, or whoever set NOTIFY_SOCKET, where the host is in its life: sd_notify(3).</summary>
internal sealed partial class ServiceManager(ISystemdNotifier notifier, ILoggerFactory logging)
{
    private readonly ILogger _log = logging.CreateLogger("NicHost.Service");
    private readonly Lock _gate = new();
    private string _status = "";
    private bool _isReloading;
    private bool _hasFailed;

    public ServiceManager(ILoggerFactory logging) : this(new SystemdNotifier(), logging)
    {
    }

    /// <summary>What is wanted runs, as far as it can.</summary>
    public void Ready(string status)
    {
        lock (_gate)
        {
            _isReloading = false;
            Notify("READY=1", status);
        }
    }

    /// <summary>The topology is read again; <see cref="Ready"/> ends that.</summary>
    public void Reloading()
    {
        lock (_gate)
        {
            _isReloading = true;
            Notify(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={ThisProcess.MonotonicNanoseconds / 1000}"), "Reading the topology");
        }
    }

    public void Stopping()
    {
        lock (_gate) Notify("STOPPING=1", "Stopping");
    }

    /// <summary>A sign of life, and a line for <c>systemctl status</c> when it has changed.</summary>
    public void Alive(string status)
    {
        lock (_gate) Notify("WATCHDOG=1", _isReloading ? _status : status);
    }

    private void Notify(string state, string status)
    {
        if (!notifier.IsEnabled) return;
        if (status != _status) state += $"\nSTATUS={status}";
        _status = status;
        try { notifier.Notify(new ServiceState(state)); }
        catch (System.Net.Sockets.SocketException e)
        {
            // Once: without the manager's ear there would be one for each beat of the watchdog.
            if (!_hasFailed) LogUnreachable(_log, e.Message);
            _hasFailed = true;
        }
    }

    [LoggerMessage(500, LogLevel.Warning, "The service manager cannot be told how this host is: {Reason}")]
    private static partial void LogUnreachable(ILogger log, string reason);
}
