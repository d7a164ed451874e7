using System.Globalization;
using System.Text;
using System.Text.Json;
using NicHost.Contracts.Diagnostics;
using NicHost.Host.Machines;

namespace NicHost.Host.Diagnostics;

/// <summary>A line per NIC: what an operator looks at first. Read from any thread, without asking loops or plugins.</summary>
internal static class StatusTable
{
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>All of them in a few words.</summary>
    public static string Line(IEnumerable<NicInstance> nics)
    {
        var all = nics.ToArray();
        return $"{all.Count(nic => nic.State == NicState.Running)} of {all.Length} NICs run, {all.Count(nic => nic.Tally().Attached is not null)} attached";
    }

    public static string Text(IEnumerable<NicInstance> nics)
    {
        List<string[]> rows = [["NIC", "STATE", "LINK", "DEVICE", "ENDPOINT", "ATTACHED", "RX FRAMES", "RX BYTES", "TX FRAMES", "TX BYTES", "DROPS", "RESTARTS", "LAST FAULT"]];
        rows.AddRange(nics.Select(Row));
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var line = string.Join("  ", row.Select((cell, column) => IsNumber(column) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column])));
            text.Append(line.TrimEnd()).Append('\n');
        }
        return text.ToString();
    }

    public static string Json(IEnumerable<NicInstance> nics)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartArray();
            foreach (var nic in nics) Write(json, nic);
            json.WriteEndArray();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static bool IsNumber(int column) => column is >= 6 and <= 11;

    private static string[] Row(NicInstance nic)
    {
        var tally = nic.Tally();
        var sums = new Sums(tally.Queues);
        return
        [
            nic.Identity.ToString(), State(nic), nic.Link.IsUp ? "up" : "down", nic.Model.Device.Kind, nic.Model.Endpoint.Kind, InspectRenderer.Plain(tally.Attached),
            Number(sums.RxFrames), Number(sums.RxBytes), Number(sums.TxFrames), Number(sums.TxBytes), Number(sums.RxDropped + sums.TxDropped),
            Number(nic.Restarts), InspectRenderer.Plain(nic.Reason),
        ];
    }

    private static void Write(Utf8JsonWriter json, NicInstance nic)
    {
        var (tally, link) = (nic.Tally(), nic.Link);
        var sums = new Sums(tally.Queues);
        json.WriteStartObject();
        json.WriteString("name", nic.Identity.ToString());
        json.WriteString("vm", nic.Identity.Vm);
        json.WriteString("nic", nic.Identity.Nic);
        json.WriteString("state", State(nic));
        json.WriteString("link", link.IsUp ? "up" : "down");
        json.WriteNumber("speedMbps", link.SpeedMbps);
        json.WriteString("device", nic.Model.Device.Kind);
        json.WriteString("endpoint", nic.Model.Endpoint.Kind);
        json.WriteString("mac", nic.Model.Mac.ToString());
        json.WriteNumber("mtu", nic.Model.Mtu);
        json.WriteString("attached", tally.Attached);
        json.WriteNumber("attachments", tally.Attachments);
        json.WriteNumber("rxFrames", sums.RxFrames);
        json.WriteNumber("rxBytes", sums.RxBytes);
        json.WriteNumber("rxDropped", sums.RxDropped);
        json.WriteNumber("txFrames", sums.TxFrames);
        json.WriteNumber("txBytes", sums.TxBytes);
        json.WriteNumber("txDropped", sums.TxDropped);
        json.WriteNumber("guestFaults", tally.GuestFaults);
        json.WriteNumber("hostTroubles", tally.HostTroubles);
        json.WriteNumber("faults", nic.Faults);
        json.WriteNumber("restarts", nic.Restarts);
        json.WriteString("lastFault", nic.Reason);
        json.WriteEndObject();
    }

    private static string State(NicInstance nic) => InspectWriter.CamelCase(nic.State.ToString());

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Over all queues.</summary>
    private readonly struct Sums(IReadOnlyList<QueueCounters> queues)
    {
        private static readonly DropReason[] Reasons = Enum.GetValues<DropReason>();

        public long RxFrames => queues.Sum(q => Volatile.Read(ref q.RxFrames));

        public long RxBytes => queues.Sum(q => Volatile.Read(ref q.RxBytes));

        public long TxFrames => queues.Sum(q => Volatile.Read(ref q.TxFrames));

        public long TxBytes => queues.Sum(q => Volatile.Read(ref q.TxBytes));

        public long RxDropped => queues.Sum(q => Reasons.Sum(q.RxDropped));

        public long TxDropped => queues.Sum(q => Reasons.Sum(q.TxDropped));
    }
}
