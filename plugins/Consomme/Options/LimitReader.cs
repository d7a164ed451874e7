using NicHost.Contracts.Options;

namespace NicHost.Consomme.Options;

/// <summary>Checks the bounds of the bounds.</summary>
internal static class LimitReader
{
    public static void Check(LimitOptions limits, ICollection<OptionFault> faults)
    {
        Range("tcpFlows", limits.TcpFlows, 1, 1 << 20);
        Range("halfOpen", limits.HalfOpen, 1, 1 << 20);
        Range("udpFlows", limits.UdpFlows, 1, 1 << 20);
        Range("echoFlows", limits.EchoFlows, 0, 1 << 16);
        Range("dnsQueries", limits.DnsQueries, 1, 1 << 16);
        Range("udpIdleSeconds", limits.UdpIdleSeconds, 1, 86400);
        Range("tcpIdleSeconds", limits.TcpIdleSeconds, 1, 7 * 86400);

        void Range(string name, int value, int low, int high)
        {
            if (value < low || value > high)
                faults.Add(new OptionFault($"$.limits.{name}", $"{value} is out of range.", $"Use {low} to {high}."));
        }
    }
}
