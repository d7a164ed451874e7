using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <content>A guest with an address of its own, on an endpoint that knows no DHCP.</content>
internal sealed partial class ProbeSession
{
    public string TakeAddress(GuestAddress own)
    {
        if (own.Address.IsV6) (Stack.Address6, Stack.PrefixLength6) = (own.Address, own.PrefixLength);
        else (Stack.Address4, Stack.PrefixLength4) = (own.Address, own.PrefixLength);
        return $"{own}, mtu {target.Mtu}";
    }

    public string PingPeer(Ip peer) => $"{peer} answered 3 of 3, {Ping(peer)}";

    /// <summary>Answers pings and resets connections, as a guest does which runs nothing, until the caller has enough of it.</summary>
    public string Answer()
    {
        Guest.RunUntil(() => false, TimeSpan.MaxValue);
        if (Guest.Disconnected) throw new CheckFailedException("The host closed the connection.");
        return "stopped";
    }
}
