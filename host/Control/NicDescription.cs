using System.Text;
using System.Text.Json;
using NicHost.Host.Topology;

namespace NicHost.Host.Control;

/// <summary>A NIC as its topology says, defaults filled in, as JSON: what a probe needs to attach.</summary>
internal static class NicDescription
{
    public static string Render(NicModel nic)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("name", nic.Identity.ToString());
            json.WriteString("mac", nic.Mac.ToString());
            json.WriteNumber("mtu", nic.Mtu);
            json.WriteString("baseDirectory", nic.BaseDirectory);
            json.WritePropertyName("device");
            nic.Device.Options.WriteTo(json);
            json.WritePropertyName("endpoint");
            nic.Endpoint.Options.WriteTo(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }
}
