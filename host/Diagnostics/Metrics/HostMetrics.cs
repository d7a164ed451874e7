using System.Diagnostics.Metrics;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Machines;

namespace NicHost.Host.Diagnostics.Metrics;

/// <summary>
/// The host's own instruments. All are observed: they read counters that are kept anyway, and only when somebody asks, so that the data
/// path pays nothing. A NIC that is gone has no numbers any more.
/// </summary>
internal sealed partial class HostMetrics : IDisposable
{
    private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();
    private static readonly string[] ReasonNames = [.. Reasons.Select(reason => InspectWriter.CamelCase(reason.ToString()))];

    private readonly HostRuntime _host;
    private readonly Meter _meter;

    public HostMetrics(HostRuntime host)
    {
        _host = host;
        _meter = new Meter(new MeterOptions("NicHost") { Scope = host });
        AddQueues();
        AddNics();
        AddProcess();
    }

    public void Dispose() => _meter.Dispose();

    private void AddQueues()
    {
        Counter("nichost.nic.frames", "{frame}", "Frames and super-frames that passed. tx is from the guest, rx to it.", () => Queues((q, add) =>
        {
            add.Tx(Volatile.Read(ref q.TxFrames));
            add.Rx(Volatile.Read(ref q.RxFrames));
        }));
        Counter("nichost.nic.bytes", "By", "Bytes of these, Ethernet headers included.", () => Queues((q, add) =>
        {
            add.Tx(Volatile.Read(ref q.TxBytes));
            add.Rx(Volatile.Read(ref q.RxBytes));
        }));
        Counter("nichost.nic.stalls", "{stall}", "tx: the endpoint took fewer frames than it was given. rx: the guest had no buffer.", () => Queues((q, add) =>
        {
            add.Tx(Volatile.Read(ref q.TxStalls));
            add.Rx(Volatile.Read(ref q.RxStalls));
        }));
        Counter("nichost.nic.kicks", "{kick}", "Notifications from the guest.", () => Queues((q, add) => add.Plain(Volatile.Read(ref q.Kicks))));
        Counter("nichost.nic.calls", "{call}", "Notifications to the guest.", () => Queues((q, add) => add.Plain(Volatile.Read(ref q.Calls))));
        Counter("nichost.nic.drops", "{frame}", "Frames that went nowhere, by reason.", () => Queues((q, add) =>
        {
            for (var i = 0; i < Reasons.Length; i++)
            {
                add.Drops("tx", ReasonNames[i], q.TxDropped(Reasons[i]));
                add.Drops("rx", ReasonNames[i], q.RxDropped(Reasons[i]));
            }
        }));
    }

    private void AddNics()
    {
        Gauge("nichost.nic.link_up", "1 when the guest sees its link up.", () => Nics(nic => nic.Link.IsUp ? 1 : 0));
        Gauge("nichost.nic.attached", "1 when a VMM is attached.", () => Nics(nic => nic.Tally().Attached is null ? 0 : 1));
        Gauge("nichost.nic.state", "1 for the state that the NIC is in.", () => _host.Nics.Select(nic =>
            new Measurement<long>(1, Vm(nic), Name(nic), new("state", InspectWriter.CamelCase(nic.State.ToString())))));
        Gauge("nichost.nic.info", "1; what the NIC is made of.", () => _host.Nics.Select(nic =>
            new Measurement<long>(1, Vm(nic), Name(nic), new("device", nic.Model.Device.Kind), new("endpoint", nic.Model.Endpoint.Kind), new("mac", nic.Model.Mac.ToString()))));
        Counter("nichost.nic.attachments", "{attachment}", "Times that a VMM attached.", () => Nics(nic => nic.Tally().Attachments));
        Counter("nichost.nic.guest_faults", "{fault}", "Mistakes of the guest or its VMM.", () => Nics(nic => nic.Tally().GuestFaults));
        Counter("nichost.nic.host_troubles", "{trouble}", "Troubles on the host's side.", () => Nics(nic => nic.Tally().HostTroubles));
        Counter("nichost.nic.faults", "{fault}", "Times that the NIC failed.", () => Nics(nic => nic.Faults));
        Counter("nichost.nic.restarts", "{restart}", "Times that it was made anew after a fault.", () => Nics(nic => nic.Restarts));
    }

    private IEnumerable<Measurement<long>> Nics(Func<NicInstance, long> read) => _host.Nics.Select(nic => new Measurement<long>(read(nic), Vm(nic), Name(nic)));

    private List<Measurement<long>> Queues(Action<QueueCounters, QueueMeasurements> read)
    {
        var measurements = new List<Measurement<long>>();
        foreach (var nic in _host.Nics)
        {
            var queues = nic.Tally().Queues;
            for (var i = 0; i < queues.Count; i++) read(queues[i], new QueueMeasurements(measurements, nic, i));
        }
        return measurements;
    }

    private static KeyValuePair<string, object?> Vm(NicInstance nic) => new("vm", nic.Identity.Vm);

    private static KeyValuePair<string, object?> Name(NicInstance nic) => new("nic", nic.Identity.Nic);

    private void Counter(string name, string unit, string description, Func<IEnumerable<Measurement<long>>> observe) =>
        _meter.CreateObservableCounter(name, observe, unit, description);

    private void Gauge(string name, string description, Func<IEnumerable<Measurement<long>>> observe, string? unit = null) =>
        _meter.CreateObservableGauge(name, observe, unit, description);

    private readonly struct QueueMeasurements(List<Measurement<long>> measurements, NicInstance nic, int queue)
    {
        public void Tx(long value) => Add(value, new("direction", "tx"));

        public void Rx(long value) => Add(value, new("direction", "rx"));

        public void Plain(long value) => measurements.Add(new Measurement<long>(value, Vm(nic), Name(nic), new("queue", queue)));

        // Eighteen reasons in two directions: those that never happened are left out.
        public void Drops(string direction, string reason, long value)
        {
            if (value > 0) measurements.Add(new Measurement<long>(value, Vm(nic), Name(nic), new("queue", queue), new("direction", direction), new("reason", reason)));
        }

        private void Add(long value, KeyValuePair<string, object?> direction) =>
            measurements.Add(new Measurement<long>(value, Vm(nic), Name(nic), new("queue", queue), direction));
    }
}
