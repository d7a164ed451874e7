using System.Text.Json;
using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>What the files together say about the process.</summary>
internal static class SettingsReader
{
    public static HostSettings Read(IReadOnlyList<FileLevel> levels) => new()
    {
        Unloadable = Unite(levels, "unloadable")?.Value.GetBoolean() ?? false,
        AllowWritablePlugins = Unite(levels, "allowWritablePlugins")?.Value.GetBoolean() ?? false,
        PluginRoots = ReadRoots(levels),
        Control = Unite(levels, "control") is { } control ? ReadControl(control) : new ControlSettings(),
    };

    /// <summary>One member of the top level, from all files that have it; faults where two differ.</summary>
    private static Layered? Unite(IReadOnlyList<FileLevel> levels, string member)
    {
        Layered? all = null;
        foreach (var level in levels)
        {
            if (level.Members.TryGetValue(member, out var value)) all = Layered.Unite(all, value);
        }
        return all;
    }

    private static List<WrittenPath> ReadRoots(IReadOnlyList<FileLevel> levels)
    {
        var roots = new List<WrittenPath>();
        foreach (var (text, place) in levels.SelectMany(level => FileCollector.Texts(level.File, "plugins")))
        {
            var root = new WrittenPath(text, place.File.BaseDirectory);
            if (HostPaths.IsPath(text) && !roots.Any(known => known.Full == root.Full)) roots.Add(root);
        }
        return roots;
    }

    private static ControlSettings ReadControl(Layered control)
    {
        var config = control.Value.Deserialize(TopologyJson.Default.ControlConfig)!;
        if (config.Owner is "") control.Add("$.owner", "This is no user.", "Write a name or a number, or leave it out.");
        if (config.Group is "") control.Add("$.group", "This is no group.", "Write a name or a number, or leave it out.");
        var mode = OctalMode.Parse(config.Mode);
        if (mode is null) control.Add("$.mode", $"\"{config.Mode}\" is not a file mode.", "Write three or four octal digits, such as \"0660\".");
        return new ControlSettings
        {
            Path = config.Socket is { } socket ? new WrittenPath(socket, control.Find("$.socket").File.BaseDirectory) : null,
            Mode = mode ?? default,
            Owner = config.Owner,
            Group = config.Group,
        };
    }
}
