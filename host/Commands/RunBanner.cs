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
            text.Append(CultureInfo.InvariantCulture, $"{model.Identity}\n")
                .Append(CultureInfo.InvariantCulture, $"  mac       {model.Mac}\n")
                .Append(CultureInfo.InvariantCulture, $"  mtu       {model.Mtu}\n")
                .Append(CultureInfo.InvariantCulture, $"  device    {model.Device.Kind}\n")
                .Append(CultureInfo.InvariantCulture, $"  endpoint  {model.Endpoint.Kind}\n");
            if (nic.State == NicState.Faulted) text.Append(CultureInfo.InvariantCulture, $"  faulted   {nic.Reason} (will be tried again)\n");
            foreach (var hint in nic.AttachHints) text.Append(CultureInfo.InvariantCulture, $"  {hint.Vmm,-8}  {hint.Arguments}\n");
        }
        var ready = host.Nics.Count(nic => nic.State == NicState.Running);
        return text.Append(CultureInfo.InvariantCulture, $"ready: {ready} of {host.Nics.Count()} NICs\n").ToString();
    }
}
