using System.Text.Json;
using System.Text.Json.Nodes;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>
/// The canonical form of a topology: one JSON text that means the same wherever it was written, with every default of host and plugins
/// filled in, every object sorted. Read as a topology in the folder of the first file it gives the same model, and so the same form.
/// </summary>
internal static class TopologyResolver
{
    public static JsonObject Resolve(TopologyModel topology)
    {
        var settings = topology.Settings;
        return Sorted(new JsonObject
        {
            ["allowWritablePlugins"] = settings.AllowWritablePlugins,
            ["control"] = Control(settings.Control, topology.BaseDirectory),
            ["plugins"] = new JsonArray([.. settings.PluginRoots.Select(root => JsonValue.Create(root.From(topology.BaseDirectory)))]),
            ["unloadable"] = settings.Unloadable,
            ["vms"] = new JsonObject(topology.Vms.Select(vm => KeyValuePair.Create<string, JsonNode?>(vm.Name, new JsonObject
            {
                ["nics"] = new JsonObject(vm.Nics.Select(nic => KeyValuePair.Create<string, JsonNode?>(nic.Identity.Nic, Nic(nic, topology.BaseDirectory)))),
            }))),
        });
    }

    private static JsonNode? Control(ControlSettings control, string folder) => JsonSerializer.SerializeToNode(new ControlConfig
    {
        Socket = control.Path?.From(folder),
        Mode = "0" + Convert.ToString((int)control.Mode, 8).PadLeft(3, '0'),
        Owner = control.Owner,
        Group = control.Group,
    }, TopologyJson.Default.ControlConfig);

    private static JsonObject Nic(NicModel nic, string folder) => new()
    {
        ["mac"] = nic.Mac.ToString(),
        ["mtu"] = nic.Mtu,
        ["link"] = JsonSerializer.SerializeToNode(nic.IsLinkUp ? AdminLink.Up : AdminLink.Down, TopologyJson.Default.AdminLink),
        ["restart"] = JsonSerializer.SerializeToNode(nic.Restart.ToConfig(), TopologyJson.Default.RestartConfig),
        ["device"] = Part(nic.Device.Options, nic.Device.Factory.Options, nic.BaseDirectory, folder),
        ["endpoint"] = Part(nic.Endpoint.Options, nic.Endpoint.Factory.Options, nic.BaseDirectory, folder),
    };

    private static JsonObject Part(JsonElement written, OptionsModel model, string from, string to)
    {
        var options = model.MapPaths(JsonText.Build(json => model.Resolve(written).WriteTo(json)), (_, path) => new WrittenPath(path, from).From(to));
        options["kind"] = written.GetProperty("kind").GetString();
        return options;
    }

    private static JsonObject Sorted(JsonObject members) =>
        new(members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => KeyValuePair.Create(member.Key, Sorted(member.Value))));

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject members => Sorted(members),
        JsonArray items => new JsonArray([.. items.Select(Sorted)]),
        // What looks like a variable now was none, or came out of one.
        JsonValue text when text.GetValueKind() == JsonValueKind.String => Variables.Escape(text.GetValue<string>()),
        _ => node?.DeepClone(),
    };
}
