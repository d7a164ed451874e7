using NicHost.Contracts.Nics;

namespace NicHost.Probe.Stack;

/// <summary>
/// The probe guest's TCP/IP: one address of each kind, one link, no threads of its own. Whoever owns it calls <see cref="Poll"/> after
/// each round of received frames. One thread.
/// </summary>
public sealed partial class ProbeStack : IFrameSink
{
    private readonly ILink _link;
    private readonly TimeProvider _time;
    private readonly long _started;

    /// <summary>A stack without addresses.</summary>
    public ProbeStack(ILink link, TimeProvider? time = null, FaultLog? faults = null)
    {
        _link = link;
        _time = time ?? TimeProvider.System;
        _started = _time.GetTimestamp();
        Faults = faults ?? new FaultLog();
        LinkLocal = Ip.LinkLocal(link.Mac);
    }

    /// <summary>What the other side did wrong.</summary>
    public FaultLog Faults { get; }

    /// <summary>Milliseconds since the start.</summary>
    public long NowMs { get; private set; }

    /// <summary>Microseconds since the start, read now.</summary>
    public long NowUs => (long)_time.GetElapsedTime(_started).TotalMicroseconds;

    /// <summary>Our MAC address.</summary>
    public MacAddress Mac => _link.Mac;

    /// <summary>The largest IP packet that we send; DHCP or a router advertisement may lower it.</summary>
    public int Mtu { get; set; } = 1500;

    /// <summary>Our IPv4 address, if we have one.</summary>
    public Ip Address4 { get; set; }

    /// <summary>Bits of our IPv4 network.</summary>
    public int PrefixLength4 { get; set; } = 24;

    /// <summary>The IPv4 router.</summary>
    public Ip Router4 { get; set; }

    /// <summary>Our link-local address.</summary>
    public Ip LinkLocal { get; }

    /// <summary>Our global (or unique local) IPv6 address, if we have one.</summary>
    public Ip Address6 { get; set; }

    /// <summary>Bits of our IPv6 network.</summary>
    public int PrefixLength6 { get; set; } = 64;

    /// <summary>The IPv6 router, a link-local address.</summary>
    public Ip Router6 { get; set; }

    /// <summary>Called for each received packet of a protocol that nothing else here takes; for tests.</summary>
    public PacketHandler? Unclaimed { get; set; }

    /// <summary>Runs timers and sends what waits. After every round of received frames.</summary>
    /// <returns>Whether something was done.</returns>
    public bool Poll()
    {
        NowMs = NowUs / 1000;
        SendAnswers();
        return PollTcp();
    }

    /// <summary>Milliseconds until <see cref="Poll"/> has to run again without frames.</summary>
    public int NextPollMs => _work.Count > 0 ? 1 : _connections.Count > 0 ? TickMs : 20;

    /// <summary>Forgets neighbours and connections, as after a restart of the link.</summary>
    public void ResetLink()
    {
        _neighbours.Forget();
        while (_connections.Count > 0) _connections[^1].Drop("The link was reset.");
    }

    private bool IsOurs(Ip address) =>
        address.IsV6
            ? address == LinkLocal || (!Address6.IsZero && address == Address6)
            : !Address4.IsZero && address == Address4;
}
