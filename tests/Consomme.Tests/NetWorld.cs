using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace NicHost.Consomme.Tests;

/// <summary>
/// A small Internet in network namespaces: this thread's own, with an uplink 192.0.2.1 and fd99::1, and a router 192.0.2.254 and fd99::fe with
/// hosts 198.51.100.1 and fd98::1 on it, a link of MTU 1300 behind it (203.0.113.0/24, fd97::/64), and a network it cannot reach (203.0.114.0/24).
/// </summary>
internal static partial class NetWorld
{
    private const int NewNet = 0x4000_0000;

    private const string Script = """
        set -e
        unshare -n sleep 30 >/dev/null 2>&1 &
        P=$!
        until [ "$(readlink /proc/$P/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
        R="nsenter -t $P -n"
        ip link set lo up
        ip link add h0 address 02:00:00:00:00:01 type veth peer name r0 address 02:00:00:00:00:02 netns $P
        ip addr add 192.0.2.1/24 dev h0; ip link set h0 up
        $R ip link set lo up
        $R ip addr add 192.0.2.254/24 dev r0; $R ip link set r0 up
        $R ip addr add 198.51.100.1/32 dev lo
        $R ip link add x0 mtu 1300 type veth peer name x1; $R ip link set x0 up; $R ip link set x1 up
        $R ip route add 203.0.113.0/24 dev x0
        $R ip route add unreachable 203.0.114.0/24
        $R sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit'
        ip neigh add 192.0.2.254 lladdr 02:00:00:00:00:02 dev h0
        $R ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev r0
        ip route add default via 192.0.2.254
        if [ "$1" = 6 ]; then
            ip -6 addr add fd99::1/64 dev h0 nodad
            $R ip -6 addr add fd99::fe/64 dev r0 nodad
            $R ip -6 addr add fd98::1/128 dev lo
            $R ip -6 route add fd97::/64 dev x0
            $R sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding; echo 0 > /proc/sys/net/ipv6/icmp/ratelimit'
            ip -6 neigh add fd99::fe lladdr 02:00:00:00:00:02 dev h0
            $R ip -6 neigh add fd99::1 lladdr 02:00:00:00:00:01 dev r0
            ip -6 route add default via fd99::fe
        fi
        echo "$2" > /proc/sys/net/ipv4/ping_group_range
        echo $P
        """;

    /// <summary>Runs a test inside. Without the right to make namespaces (root, or CAP_SYS_ADMIN) it fails and says so.</summary>
    public static void Run(Action test, bool ipv6 = true, bool ping = true)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Inside(test, ipv6, ping);
            }
#pragma warning disable CA1031 // thrown again below
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    private static void Inside(Action test, bool ipv6, bool ping)
    {
        if (unshare(NewNet) != 0) throw new InvalidOperationException("This test needs the right to make network namespaces: run it as root.");
        var bash = Process.Start(new ProcessStartInfo("bash", ["-c", Script, "world", ipv6 ? "6" : "4", ping ? "0 2147483647" : "1 0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = bash.StandardOutput.ReadToEnd();
        var errors = bash.StandardError.ReadToEnd();
        bash.WaitForExit();
        Assert.True(bash.ExitCode == 0, $"the world was not made: {errors}");
        using var router = Process.GetProcessById(int.Parse(output, CultureInfo.InvariantCulture));
        try
        {
            test();
        }
        finally
        {
            router.Kill();
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
