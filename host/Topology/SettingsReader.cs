using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>From the top level of a file to the host's settings.</summary>
internal static class SettingsReader
{
    /// <param name="file">Is told the faults.</param>
    /// <param name="members">The members of the top level that have their type.</param>
    public static HostSettings Read(TopologyFile file, IReadOnlyDictionary<string, JsonElement> members) => new()
    {
        Unloadable = members.TryGetValue("unloadable", out var unloadable) && unloadable.GetBoolean(),
        AllowWritablePlugins = members.TryGetValue("allowWritablePlugins", out var writable) && writable.GetBoolean(),
        Control = members.TryGetValue("control", out var control) ? ReadControl(file, control.Deserialize(TopologyJson.Default.ControlConfig)!) : new ControlSettings(),
    };

    private static ControlSettings ReadControl(TopologyFile file, ControlConfig config)
    {
        if (config.Socket is "" || (config.Socket?.Contains('\0', StringComparison.Ordinal) ?? false))
            file.Add("$.control.socket", "This is not a path.", "Write one, such as \"/run/nichost.sock\", or leave it out.");
        if (config.Owner is "") file.Add("$.control.owner", "This is no user.", "Write a name or a number, or leave it out.");
        if (config.Group is "") file.Add("$.control.group", "This is no group.", "Write a name or a number, or leave it out.");
        var mode = ParseMode(config.Mode);
        if (mode is null) file.Add("$.control.mode", $"\"{config.Mode}\" is not a file mode.", "Write three or four octal digits, such as \"0660\".");
        return new ControlSettings
        {
            Socket = string.IsNullOrEmpty(config.Socket) ? null : Path.GetFullPath(config.Socket, file.BaseDirectory),
            Mode = mode ?? default,
            Owner = config.Owner,
            Group = config.Group,
        };
    }

    private static UnixFileMode? ParseMode(string text)
    {
        if (text.Length is < 3 or > 4 || text.Any(c => c is < '0' or > '7')) return null;
        var mode = Convert.ToInt32(text, 8);
        return mode <= 0x1ff ? (UnixFileMode)mode : null;
    }
}
