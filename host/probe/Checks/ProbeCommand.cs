using NicHost.Probe.Stack;

namespace NicHost.Probe.Checks;

/// <summary>What <c>nichost probe</c> and <c>nichost demo</c> do once they know the NIC.</summary>
public static class ProbeCommand
{
    /// <summary>Attaches a probe guest to a NIC, goes through the checklist and prints a line for each check.</summary>
    /// <returns>0 when every check passed, else 1.</returns>
    public static Task<int> RunAsync(ProbeTarget target, TextWriter output, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(output);

        // The guest is one thread that polls: not the pool's.
        return Task.Factory.StartNew(() => Run(target, output, ct), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static int Run(ProbeTarget target, TextWriter output, CancellationToken ct)
    {
        var list = new CheckList(output);
        output.WriteLine($"{target.Name} through {target.Socket}");
        using var session = new ProbeSession(target, ct);
        if (list.Run("attach", session.Attach))
        {
            if (target.Address is { } address) RunWithAddress(list, session, address, target.Peer, output);
            else RunWithLease(list, session, target.HostLoopback, output);
        }
        output.WriteLine($"{list.Passed} of {list.Total} checks passed");
        output.Flush();
        return list.Passed == list.Total ? 0 : 1;
    }

    private static void RunWithLease(CheckList list, ProbeSession session, bool hostLoopback, TextWriter output)
    {
        list.Run("lease", session.Lease);
        list.Run("gateway ping", session.PingGateway);
        list.Run("IPv6 address", session.Address6);
        list.Run("DNS answer", session.Dns);
        if (hostLoopback)
        {
            list.Run("TCP fetch", session.Fetch);
            list.Run("TCP send", session.Send);
            list.Run("UDP echo", session.UdpEcho);
        }
        list.Run("frames", session.Frames);
        if (!hostLoopback) output.WriteLine("note  TCP and UDP were not tried: \"hostLoopback\" is off, so the probe's own services cannot be reached.");
    }

    private static void RunWithAddress(CheckList list, ProbeSession session, GuestAddress address, Ip? peer, TextWriter output)
    {
        list.Run("address", () => session.TakeAddress(address));
        if (peer is { } whom) list.Run("ping", () => session.PingPeer(whom));
        else
        {
            output.WriteLine($"note  {address.Address} answers pings until this is stopped");
            output.Flush();
            list.Run("answer", session.Answer);
        }
        list.Run("frames", session.Frames);
    }
}
