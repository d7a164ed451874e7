using System.Diagnostics.Metrics;
using NicHost.Consomme.Dns;
using NicHost.Consomme.Icmp;
using NicHost.Consomme.Ip;
using NicHost.Consomme.Tcp;
using NicHost.Consomme.Udp;

namespace NicHost.Consomme.Core;

/// <summary>
/// A NAT's numbers for whoever scrapes. All of them are observed: they are read from the fields that the protocols keep anyway, on the
/// scraper's thread, each a whole number of a moment ago. The host ends the meter with the endpoint.
/// </summary>
internal static class NatMeters
{
    public static void Make(IMeterFactory meters, TcpProtocol tcp, UdpProtocol udp, EchoProtocol echo, DnsForwarder dns, Reassembler fragments)
    {
        var meter = meters.Create(new MeterOptions("Consomme"));
        Gauge("consomme.flows", "{flow}", "Flows at present.", () => [Of(tcp.FlowCount, "tcp"), Of(udp.Table.Count, "udp"), Of(echo.FlowCount, "icmp")]);
        Gauge("consomme.tcp.half_open", "{flow}", "TCP flows whose handshake is not over.", () => [new(tcp.HalfOpen)]);
        Counter("consomme.flows.opened", "{flow}", "Flows that were opened, by who opened them.", () => [Of(tcp.Opened, "tcp", "by", "guest"), Of(tcp.Accepted, "tcp", "by", "host"), Of(udp.Table.Created, "udp", "by", "guest")]);
        Counter("consomme.flows.closed", "{flow}", "Flows that ended, by reason.", () => Closed(tcp, udp));
        Counter("consomme.bytes", "By", "Payload, without headers and without what was sent again; tx is from the guest.", () =>
        [
            Of(tcp.BytesFromGuest, "tcp", "direction", "tx"), Of(tcp.BytesToGuest, "tcp", "direction", "rx"),
            Of(udp.Sender.Bytes, "udp", "direction", "tx"), Of(udp.Receiver.Bytes, "udp", "direction", "rx"),
        ]);
        Counter("consomme.datagrams", "{datagram}", "UDP datagrams; tx is from the guest.", () => [Of(udp.Sender.Datagrams, "udp", "direction", "tx"), Of(udp.Receiver.Datagrams, "udp", "direction", "rx")]);
        Counter("consomme.tcp.retransmits", "{call}", "How often something was sent to the guest again.", () => [new(tcp.Retransmits)]);
        Counter("consomme.dns.questions", "{question}", "Questions of the guest.", () => [new(dns.Questions)]);
        Counter("consomme.dns.answers", "{answer}", "Answers to the guest.", () => [new(dns.Answers)]);
        Counter("consomme.refusals", "{request}", "What was not served, by reason. Frames that were dropped are counted by the host.", () =>
        [
            Reason(dns.Failures, "dnsFailed"), Reason(dns.Refused, "dnsLimit"), Reason(echo.Refused, "pingRefused"), Reason(fragments.GivenUp, "fragmentsGivenUp"),
        ]);

        void Gauge(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> observe) => meter.CreateObservableGauge(name, observe, unit, description);
        void Counter(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> observe) => meter.CreateObservableCounter(name, observe, unit, description);
    }

    private static List<Measurement<long>> Closed(TcpProtocol tcp, UdpProtocol udp)
    {
        var closed = new List<Measurement<long>> { Of(udp.Table.Expired, "udp", "reason", "idle"), Of(udp.Table.Evicted, "udp", "reason", "evicted") };
        foreach (var reason in Enum.GetValues<CloseReason>())
        {
            // Ten reasons: those that never happened are left out.
            if (tcp.Closed(reason) is > 0 and var count) closed.Add(Of(count, "tcp", "reason", Contracts.Diagnostics.InspectWriter.CamelCase(reason.ToString())));
        }
        return closed;
    }

    private static Measurement<long> Of(long value, string protocol) => new(value, new KeyValuePair<string, object?>("protocol", protocol));

    private static Measurement<long> Of(long value, string protocol, string tag, string what) => new(value, new("protocol", protocol), new(tag, what));

    private static Measurement<long> Reason(long value, string reason) => new(value, new KeyValuePair<string, object?>("reason", reason));
}
