using NicHost.Contracts.Options;
using NicHost.Linux;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>
/// Who else may write where plugins come from: whoever can, runs code as the host's user. Trusted are root, the host's user and the owner
/// of the host's own program, who could change that just as well.
/// </summary>
internal sealed class WriteCheck
{
    private readonly HashSet<uint> _trusted;
    private readonly UserDatabase _users;

    public WriteCheck(IEnumerable<uint> trusted, UserDatabase users) => (_trusted, _users) = ([.. trusted], users);

    /// <summary>For this process.</summary>
    public static WriteCheck Host()
    {
        var program = FileStatus.Read(typeof(WriteCheck).Assembly.Location, out var own).Ok ? own.User : 0;
        return new WriteCheck([0, ThisProcess.EffectiveUserId, program], UserDatabase.Read("/etc/passwd", "/etc/group"));
    }

    /// <summary>Looks at a plugin root and every folder above it.</summary>
    /// <returns>What is wrong, with the remedy; null when nobody else may write there.</returns>
    public string? Root(string root)
    {
        // Both ways to it: with the links in it, and where they lead.
        string[] paths = [.. Ways(root).SelectMany(Above).Distinct()];
        return Say(paths.Select(path => Fault(path, isAbove: !Ways(root).Contains(path))));
    }

    /// <summary>Looks at a plugin's folder and all that is in it.</summary>
    /// <returns>What is wrong, with the remedy; null when nobody else may write there.</returns>
    public string? Folder(PluginFolder folder)
    {
        string[] inside = [.. Directory.EnumerateFileSystemEntries(folder.Path, "*", SearchOption.AllDirectories)];
        string[] plugin = folder.Version.Length == 0 ? [folder.Path] : [Path.GetDirectoryName(folder.Path)!, folder.Path];
        // A link is followed by whoever loads it.
        var elsewhere = inside.Where(path => new FileInfo(path).LinkTarget is not null).Select(LinkedPath.Resolve)
            .Where(path => !path.StartsWith(folder.Path + "/", StringComparison.Ordinal)).SelectMany(path => Above(Path.GetDirectoryName(path)!));
        return Say([.. plugin.Concat(inside).Select(path => Fault(path, isAbove: false)), .. elsewhere.Distinct().Select(path => Fault(path, isAbove: true))]);
    }

    private static string[] Ways(string root) => [.. new[] { root, LinkedPath.Resolve(root) }.Distinct()];

    private static IEnumerable<string> Above(string path)
    {
        for (string? folder = path; folder is not null; folder = Path.GetDirectoryName(folder)) yield return folder;
    }

    private (string Path, string Who, string Remedy)? Fault(string path, bool isAbove)
    {
        if (!FileStatus.Read(path, out var status).Ok) return null;
        if (!_trusted.Contains(status.User)) return (path, $"its owner {_users.UserName(status.User)}", "chown");
        // In a folder such as /tmp others may make files, but not touch these.
        if (isAbove && status.IsSticky) return null;
        if (status.IsOtherWritable) return (path, "everybody", "chmod");
        return status.IsGroupWritable && !_users.IsOwnGroup(status.User, status.Group) ? (path, $"the group {_users.GroupName(status.Group)}", "chmod") : null;
    }

    private static string? Say(IEnumerable<(string Path, string Who, string Remedy)?> faults)
    {
        (string Path, string Who, string Remedy)[] all = [.. faults.OfType<(string Path, string Who, string Remedy)>()];
        if (all.Length == 0) return null;
        var (path, who, remedy) = all[0];
        var more = all.Length == 1 ? "" : $" (and {all.Length - 1} more like it)";
        var how = remedy == "chown" ? $"chown root {path}" : $"chmod go-w {path}";
        return $"{path}{more} may be written by {who}, who could make this host run anything. Take that right away, {how}, or allow it: --allow-writable-plugins, or \"allowWritablePlugins\" in the topology.";
    }
}
