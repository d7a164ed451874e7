using System.Globalization;
using System.Text;
using NicHost.Host.Machines;

namespace NicHost.Host.Commands;

/// <summary>What <c>nichost run</c> prints when it is ready: each NIC and how a VMM attaches to it.</summary>
internal static class RunBanner
{
    public static string Render(HostRuntime host)
    {
        var text = new StringBuilder();
        foreach (var nic in host.Nics)
        {
            var model = nic.Model;
            List<(string Label, string Value)> lines =
            [
                ("mac", model.Mac.ToString()),
                ("mtu", model.Mtu.ToString(CultureInfo.InvariantCulture)),
                ("device", model.Device.Kind),
                ("endpoint", model.Endpoint.Kind),
            ];
            if (nic.State == NicState.Faulted) lines.Add(("faulted", $"{nic.Reason} (will be tried again)"));
            lines.AddRange(nic.AttachHints.Select(hint => (hint.Vmm, hint.Arguments)));
            var width = lines.Max(line => line.Label.Length);
            text.Append(CultureInfo.InvariantCulture, $"{model.Identity}\n");
            foreach (var (label, value) in lines) text.Append("  ").Append(label.PadRight(width)).Append("  ").Append(value).Append('\n');
        }
        var ready = host.Nics.Count(nic => nic.State == NicState.Running);
        return text.Append(CultureInfo.InvariantCulture, $"ready: {ready} of {host.Nics.Count()} NICs\n").ToString();
    }
}
