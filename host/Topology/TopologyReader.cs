using System.Text.Json;
using NicHost.Contracts.Nics;
using NicHost.Contracts.Options;
using NicHost.Host.Plugins;

namespace NicHost.Host.Topology;

/// <summary>From a file to a model. Finds every fault before it gives up: those of the levels here, those of options by their plugin.</summary>
internal sealed class TopologyReader
{
    private readonly TopologyFile _file;
    private readonly IKindSource _kinds;
    private readonly List<(NicModel Nic, string Path)> _nics = [];
    private HostSettings _settings = new();

    private TopologyReader(TopologyFile file, IKindSource kinds)
    {
        _file = file;
        _kinds = kinds;
    }

    /// <summary>Reads and checks.</summary>
    /// <exception cref="TopologyException">Something is wrong; the exception lists everything.</exception>
    public static TopologyModel Read(TopologyFile file, IKindSource kinds)
    {
        var reader = new TopologyReader(file, kinds);
        var vms = reader.ReadVms();
        MacValidator.Check(file, reader._nics);
        WiringValidator.Check(file, reader._nics);
        return file.FaultCount == 0 ? new TopologyModel(file.Name, file.BaseDirectory, reader._settings, vms) : throw new TopologyException(file.Faults);
    }

    private List<VmModel> ReadVms()
    {
        var vms = new List<VmModel>();
        var members = LevelReader.Read(_file, "$", _file.Root, TopologyJson.Default.TopologyConfig);
        _settings = SettingsReader.Read(_file, members);
        if (!members.TryGetValue("vms", out var map)) return vms;
        foreach (var (name, path, value) in LevelReader.Named(_file, "$.vms", map, "VM")) vms.Add(new VmModel(name, ReadNics(name, path, value)));
        return vms;
    }

    private List<NicModel> ReadNics(string vm, string vmPath, JsonElement element)
    {
        var nics = new List<NicModel>();
        var members = LevelReader.Read(_file, vmPath, element, TopologyJson.Default.VmConfig);
        if (!members.TryGetValue("nics", out var map)) return nics;
        foreach (var (name, path, value) in LevelReader.Named(_file, JsonPath.Member(vmPath, "nics"), map, "NIC"))
        {
            if (ReadNic(new NicIdentity(vm, name), path, value) is not { } nic) continue;
            nics.Add(nic);
            _nics.Add((nic, path));
        }
        return nics;
    }

    private NicModel? ReadNic(NicIdentity identity, string path, JsonElement element)
    {
        var members = LevelReader.Read(_file, path, element, TopologyJson.Default.NicConfig);
        var mac = members.TryGetValue("mac", out var text) && text.ValueKind == JsonValueKind.String ? ReadMac(path, text.GetString()!) : null;
        var mtu = members.TryGetValue("mtu", out var number) ? number.GetInt32() : 1500;
        var device = members.TryGetValue("device", out var d)
            ? ReadPart("Device", JsonPath.Member(path, "device"), d, _kinds.DeviceKinds, kind => _kinds.Device(identity.Vm, kind), factory => factory.Options) : null;
        var endpoint = members.TryGetValue("endpoint", out var e)
            ? ReadPart("Endpoint", JsonPath.Member(path, "endpoint"), e, _kinds.EndpointKinds, kind => _kinds.Endpoint(identity.Vm, kind), factory => factory.Options) : null;
        if (device is null || endpoint is null) return null;
        return new NicModel
        {
            Identity = identity,
            Mac = mac ?? MacAddress.Derive(identity),
            MacIsDerived = mac is null,
            Mtu = mtu,
            IsLinkUp = !members.TryGetValue("link", out var link) || link.Deserialize(TopologyJson.Default.AdminLink) == AdminLink.Up,
            Restart = members.TryGetValue("restart", out var restart) ? ReadRestart(path, restart.Deserialize(TopologyJson.Default.RestartConfig)!) : RestartPolicy.Default,
            Device = device,
            Endpoint = endpoint,
            BaseDirectory = _file.BaseDirectory,
        };
    }

    private MacAddress? ReadMac(string nicPath, string text)
    {
        var path = JsonPath.Member(nicPath, "mac");
        if (!MacAddress.TryParse(text, out var mac)) _file.Add(path, $"\"{text}\" is not a MAC address.", "Write six bytes, such as 52:54:00:12:34:56.");
        else if (mac.IsZero) _file.Add(path, "The zero address belongs to nobody.", "Use another, such as 52:54:00:12:34:56, or leave it out.");
        else if (mac.IsGroup) _file.Add(path, $"{mac} is a group address: its first byte is odd.", "Make the first byte even, such as 52.");
        else return mac;
        return null;
    }

    private RestartPolicy ReadRestart(string nicPath, RestartConfig restart)
    {
        if (restart.LongestDelaySeconds < restart.FirstDelaySeconds)
        {
            _file.Add($"{nicPath}.restart.longestDelaySeconds", $"{restart.LongestDelaySeconds} is below the first delay, {restart.FirstDelaySeconds}.",
                "Make it as long or longer.");
        }
        return RestartPolicy.From(restart);
    }

    private PartModel<TFactory>? ReadPart<TFactory>(
        string what, string path, JsonElement part, IReadOnlyList<string> kinds, Func<string, PluginKind<TFactory>?> find, Func<TFactory, OptionsModel> options)
        where TFactory : class
    {
        var known = kinds.Count == 0 ? "No plugin brings one; see \"nichost plugins\"." : $"Known kinds: {string.Join(", ", kinds)}.";
        if (part.ValueKind != JsonValueKind.Object)
        {
            _file.Add(path, "This is not an object.", $"Write {{ \"kind\": … }}. {known}");
            return null;
        }
        if (!part.TryGetProperty("kind", out var kindValue))
        {
            _file.Add(path, "\"kind\" is missing.", $"Add \"kind\". {known}");
            return null;
        }
        if (kindValue.ValueKind != JsonValueKind.String || find(kindValue.GetString()!) is not { } source)
        {
            var near = kindValue.ValueKind == JsonValueKind.String ? OptionsBinding.Nearest(kindValue.GetString()!, kinds) : null;
            _file.Add(JsonPath.Member(path, "kind"), $"{what} kind {kindValue.GetRawText()} is not there.",
                near is not null ? $"Did you mean \"{near}\"?" : $"{known} {Refused()}".TrimEnd());
            return null;
        }
        var faults = new List<OptionFault>();
        try { options(source.Factory).Check(part, faults); }
#pragma warning disable CA1031 // the plugin's own check failed: that, too, is for the user to read
        catch (Exception e) { faults.Add(new OptionFault("$", $"The plugin's check failed: {PluginFault.Describe(e)}.", "Report it to the plugin's author.")); }
#pragma warning restore CA1031
        foreach (var fault in faults) _file.Add(JsonPath.Join(path, fault.Path), fault.Message, fault.Remedy);
        return faults.Count == 0 ? new PartModel<TFactory>(source, part) : null;
    }

    private string Refused()
    {
        var refused = _kinds.Plugins.Where(p => p.Status != PluginStatus.Active).Select(p => $"{p} ({p.Reason})").ToArray();
        return refused.Length == 0 ? "" : $"Not loaded: {string.Join("; ", refused)}";
    }
}
