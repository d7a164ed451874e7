using System.Text.Json;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Topology;

/// <summary>Reads one NIC, with the defaults below what it says itself.</summary>
internal sealed class NicReader(PartReader parts, TopologyDefaults defaults)
{
    /// <returns>Null when there is not enough to put it together.</returns>
    public NicDraft? Read(NicIdentity identity, Layered own)
    {
        var whole = own.Value.ValueKind == JsonValueKind.Object ? Layered.Over(defaults.Nic, own) : own;
        var members = LevelReader.Read(whole, TopologyJson.Default.NicConfig);
        var mac = members.TryGetValue("mac", out var text) && text.Value.ValueKind == JsonValueKind.String ? ReadMac(text) : null;
        var device = members.TryGetValue("device", out var d) ? parts.Device(identity.Vm, d) : null;
        var endpoint = members.TryGetValue("endpoint", out var e) ? parts.Endpoint(identity.Vm, e) : null;
        var mtu = members.TryGetValue("mtu", out var number) ? number.Value.GetInt32() : new NicDefaultsConfig().Mtu;
        var isLinkUp = !members.TryGetValue("link", out var link) || link.Value.Deserialize(TopologyJson.Default.AdminLink) == AdminLink.Up;
        var restart = members.TryGetValue("restart", out var policy) ? ReadRestart(policy) : RestartPolicy.Default;
        if (device is null || endpoint is null) return null;
        var model = new NicModel
        {
            Identity = identity,
            Mac = mac ?? MacAddress.Derive(identity),
            MacIsDerived = mac is null,
            Mtu = mtu,
            IsLinkUp = isLinkUp,
            Restart = restart,
            Device = device.Value.Model,
            Endpoint = endpoint.Value.Model,
            BaseDirectory = own.Place.File.BaseDirectory,
        };
        return new NicDraft(model, whole, device.Value.Options, endpoint.Value.Options);
    }

    private static MacAddress? ReadMac(Layered value)
    {
        var text = value.Value.GetString()!;
        if (!MacAddress.TryParse(text, out var mac)) value.Place.Add($"\"{text}\" is not a MAC address.", "Write six bytes, such as 52:54:00:12:34:56.");
        else if (mac.IsZero) value.Place.Add("The zero address belongs to nobody.", "Use another, such as 52:54:00:12:34:56, or leave it out.");
        else if (mac.IsGroup) value.Place.Add($"{mac} is a group address: its first byte is odd.", "Make the first byte even, such as 52.");
        else return mac;
        return null;
    }

    private static RestartPolicy ReadRestart(Layered value)
    {
        var restart = value.Value.Deserialize(TopologyJson.Default.RestartConfig)!;
        if (restart.LongestDelaySeconds < restart.FirstDelaySeconds)
            value.Add("$.longestDelaySeconds", $"{restart.LongestDelaySeconds} is below the first delay, {restart.FirstDelaySeconds}.", "Make it as long or longer.");
        return RestartPolicy.From(restart);
    }
}

/// <summary>A NIC that can be put together, and where its parts stand.</summary>
internal sealed record NicDraft(NicModel Nic, Layered Whole, Layered Device, Layered Endpoint)
{
    /// <summary>Whether it says what the user means: no variable is missing.</summary>
    public bool IsSound => Whole.IsSound && Device.IsSound && Endpoint.IsSound;
}
