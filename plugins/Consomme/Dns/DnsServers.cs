using System.Net;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Linux;

namespace NicHost.Consomme.Dns;

/// <summary>One server that is asked, and what came of it.</summary>
internal sealed class DnsServer(IPEndPoint endPoint)
{
    public IPEndPoint EndPoint { get; } = endPoint;

    public SockAddr Address { get; } = SockAddr.FromEndPoint(endPoint);

    /// <summary>Until then it is asked only after the others.</summary>
    public long DeadUntil { get; set; }

    public long Asked { get; set; }

    public long Answered { get; set; }

    public long Failed { get; set; }
}

/// <summary>Whom to ask, and in which order: as configured, but those that did not answer lately come last.</summary>
internal sealed class DnsServers(NatContext context, ResolvConf host)
{
    public const int DeadMilliseconds = 30_000;
    private List<DnsServer> _servers = [];
    private IReadOnlyList<IPEndPoint> _known = [];

    private bool FollowsHost => context.Model.Dns.Servers.Count == 0;

    /// <summary>The host's search list as it is now.</summary>
    public string[] HostSearch(long now)
    {
        Refresh(now);
        return host.Search;
    }

    public DnsServer[] InOrder(long now)
    {
        Refresh(now);
        return [.. _servers.OrderBy(s => s.DeadUntil > now ? s.DeadUntil : 0)]; // stable: the configured order among the living
    }

    public void Inspect(InspectWriter writer, long now)
    {
        Refresh(now);
        writer.Value("followsHost", FollowsHost);
        foreach (var server in _servers)
        {
            using (writer.Section(server.EndPoint.ToString()))
            {
                writer.Value("asked", server.Asked);
                writer.Value("answered", server.Answered);
                writer.Value("failed", server.Failed);
                writer.Value("askedLast", server.DeadUntil > now);
            }
        }
    }

    /// <summary>Notes that a server did not answer, or cannot be reached.</summary>
    public void Dead(DnsServer server, long now)
    {
        if (server.DeadUntil <= now) Log.NameServerDead(context.Logger, server.EndPoint, DeadMilliseconds / 1000);
        server.DeadUntil = now + DeadMilliseconds;
    }

    private void Refresh(long now)
    {
        host.Refresh(now);
        var wanted = FollowsHost ? host.Servers : context.Model.Dns.Servers;
        if (ReferenceEquals(wanted, _known)) return;
        _known = wanted;
        // A server that stays keeps what is known of it.
        _servers = [.. wanted.Select(e => _servers.Find(s => s.EndPoint.Equals(e)) ?? new DnsServer(e))];
        Log.NameServers(context.Logger, wanted);
    }
}
