using System.Text.Json;
using NicHost.Contracts.Nics;
using NicHost.Host.Control;
using NicHost.Probe.Checks;
using NicHost.Probe.Stack;

namespace NicHost.Host.Commands;

/// <summary>From a NIC's description to what the probe guest needs to attach to it.</summary>
internal static class ProbeTargets
{
    /// <summary>Reads a description.</summary>
    /// <param name="description">As <see cref="NicDescription"/> wrote it.</param>
    /// <param name="address">An address for the guest, where no DHCP answers.</param>
    /// <param name="peer">With an address: whom to ping.</param>
    /// <exception cref="ControlException">The probe cannot attach to such a device.</exception>
    public static ProbeTarget Read(string description, GuestAddress? address = null, Ip? peer = null)
    {
        using var document = JsonDocument.Parse(description);
        var nic = document.RootElement;
        var name = nic.GetProperty("name").GetString()!;
        var device = nic.GetProperty("device");
        var endpoint = nic.GetProperty("endpoint");
        var kind = Text(device, "kind");
        if (kind is not ("virtio" or "netvsp") || Text(device, "socket") is not { } socket)
            throw new ControlException($"{name} is a {kind} device: the probe guest drives \"virtio\" and \"netvsp\" devices only.");
        _ = MacAddress.TryParse(nic.GetProperty("mac").GetString(), out var mac);
        return new ProbeTarget
        {
            Name = name,
            Socket = Path.GetFullPath(socket, nic.GetProperty("baseDirectory").GetString()!),
            IsVmbus = kind == "netvsp",
            Listen = Text(device, "mode") == "client",
            Mac = mac,
            Mtu = nic.GetProperty("mtu").GetInt32(),
            Queues = device.TryGetProperty("queues", out var queues) ? queues.GetInt32() : 1,
            HostLoopback = endpoint.TryGetProperty("hostLoopback", out var loopback) && loopback.ValueKind == JsonValueKind.True,
            DnsName = FirstRecord(endpoint),
            Address = address,
            Peer = peer,
        };
    }

    private static string? FirstRecord(JsonElement endpoint) =>
        endpoint.TryGetProperty("dns", out var dns) && dns.TryGetProperty("records", out var records) && records.ValueKind == JsonValueKind.Array
            ? records.EnumerateArray().Select(record => Text(record, "name")).FirstOrDefault(name => name is not null)
            : null;

    private static string? Text(JsonElement element, string member) =>
        element.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
