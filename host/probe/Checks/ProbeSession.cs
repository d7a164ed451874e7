using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <summary>The checks themselves; each returns its detail or throws with the reason. In the order of the checklist, on one thread.</summary>
internal sealed partial class ProbeSession(ProbeTarget target, CancellationToken ct) : IDisposable
{
    private readonly LoopbackServices _services = new();
    private IGuest? _guest;
    private Lease4? _lease;
    private ushort _echo;

    private IGuest Guest => _guest ?? throw new CheckFailedException("The guest is not attached.");

    private ProbeStack Stack => Guest.Stack;

    public string Attach()
    {
        _guest = target.IsVmbus ? AttachNetvsc() : AttachVirtio();
        return $"{_guest.Mac}, {_guest.Summary}";
    }

    public string Lease()
    {
        using var client = new Dhcp4Client(Stack);
        Until(client.Step, "No DHCP server answered.");
        _lease = client.Lease ?? throw new CheckFailedException("The DHCP server refused the request.");
        if (_lease.Router.IsZero) throw new CheckFailedException($"{_lease.Address} was leased without a router.");
        if (_lease.Mtu is { } mtu && mtu != target.Mtu) throw new CheckFailedException($"The server says MTU {mtu}, the NIC has {target.Mtu}.");
        var dns = _lease.DnsServers.Count > 0 ? $", dns {_lease.DnsServers[0]}" : "";
        return $"{_lease.Address}/{_lease.PrefixLength}, router {_lease.Router}{dns}, mtu {_lease.Mtu ?? target.Mtu}";
    }

    public string PingGateway()
    {
        var gateway = Leased().Router;
        return $"{gateway} answered 3 of 3, {Ping(gateway)}";
    }

    public string Address6()
    {
        var next = 0L;
        Until(
            () =>
            {
                if (Stack.Advertisement is not null) return true;
                if (Stack.NowMs >= next && Stack.SendRouterSolicitation()) next = Stack.NowMs + 1000;
                return false;
            },
            "No router advertisement came.");
        var how = "SLAAC";
        if (Stack.Address6.IsZero)
        {
            using var client = new Dhcp6Client(Stack);
            Until(client.Step, "The prefix is not for autoconfiguration, and no DHCPv6 server answered.");
            Stack.Address6 = client.Lease!.Address;
            how = "DHCPv6";
        }
        return $"{Stack.Address6} by {how}, router answered 3 of 3, {Ping(Stack.Router6)}";
    }

    public string Dns()
    {
        var lease = Leased();
        if (lease.DnsServers.Count == 0) throw new CheckFailedException("The lease names no DNS server.");
        var name = target.DnsName ?? "localhost";
        using var query = new DnsQuery(Stack, lease.DnsServers[0], name, DnsQuery.A);
        Until(query.Step, $"{lease.DnsServers[0]} did not answer.");
        var answer = query.Answer!;
        var address = answer.Records.FirstOrDefault(r => r.Type == DnsQuery.A);
        if (answer.ResponseCode == 0 && address.Text is not null) return $"{name} is {address.Text}, says {lease.DnsServers[0]}";
        if (target.DnsName is null && answer.ResponseCode != 2) return $"{lease.DnsServers[0]} answers (code {answer.ResponseCode} for {name})";
        throw new CheckFailedException($"{name}: response code {answer.ResponseCode}, {answer.Records.Count} records.");
    }

    public string Frames()
    {
        if (Guest.Faults.Total > 0) throw new CheckFailedException(Guest.Faults.ToString());
        return $"{Guest.FramesReceived} received, {Guest.FramesSent} sent, none malformed";
    }

    public void Dispose()
    {
        _services.Dispose();
        _guest?.Dispose();
    }

    private ProbeGuest AttachVirtio() => ProbeGuest.Start(new GuestOptions
    {
        Frontend = new FrontendOptions { Socket = target.Socket, Listen = target.Listen, QueuePairs = target.Queues, Timeout = target.Timeout },
        Mac = target.Mac,
        Mtu = target.Mtu,
        Cancellation = ct,
    });

    private NetvscGuest AttachNetvsc()
    {
        try
        {
            return NetvscGuest.Start(new NetvscOptions
            {
                Socket = target.Socket,
                Mac = target.Mac,
                Mtu = target.Mtu,
                Channels = target.Queues,
                Timeout = target.Timeout,
                Cancellation = ct,
            });
        }
        catch (VmbusException e)
        {
            throw new CheckFailedException(e.Message);
        }
    }

    private Lease4 Leased() => _lease ?? throw new CheckFailedException("There is no lease.");

    private string Ping(Ip address)
    {
        double best = double.MaxValue;
        for (var i = 0; i < 3; i++)
        {
            var sequence = ++_echo;
            var sent = false;
            long start = 0;
            Stack.LastEcho = null;
            Until(
                () =>
                {
                    if (!sent)
                    {
                        start = Stack.NowUs;
                        sent = Stack.SendEcho(address, sequence);
                    }
                    return Stack.LastEcho?.Sequence == sequence;
                },
                $"{address} does not answer pings.");
            if (!Stack.LastEcho!.Value.Intact) throw new CheckFailedException($"{address} sent the ping's content back changed.");
            best = Math.Min(best, (Stack.NowUs - start) / 1000.0);
        }
        return FormattableString.Invariant($"best {best:0.00} ms");
    }

    private void Until(Func<bool> done, string otherwise)
    {
        if (Guest.RunUntil(done, target.Timeout)) return;
        if (ct.IsCancellationRequested) throw new CheckFailedException("Stopped.");
        throw new CheckFailedException(Guest.Disconnected ? "The host closed the connection." : otherwise);
    }
}
