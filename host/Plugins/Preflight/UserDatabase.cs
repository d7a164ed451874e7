using System.Globalization;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Users and groups of the machine's own files; those that a directory service has are known by number only.</summary>
internal sealed class UserDatabase
{
    private readonly Dictionary<uint, (string Name, uint Group)> _users = [];
    private readonly Dictionary<uint, (string Name, string[] Members)> _groups = [];

    /// <summary>Reads <c>passwd(5)</c> and <c>group(5)</c>; a file that cannot be read is an empty one.</summary>
    public static UserDatabase Read(string passwd, string group)
    {
        var database = new UserDatabase();
        foreach (var fields in Lines(passwd, 7))
        {
            if (Number(fields[2]) is { } user && Number(fields[3]) is { } primary) database._users.TryAdd(user, (fields[0], primary));
        }
        foreach (var fields in Lines(group, 4))
        {
            if (Number(fields[2]) is { } id) database._groups.TryAdd(id, (fields[0], fields[3].Split(',', StringSplitOptions.RemoveEmptyEntries)));
        }
        return database;
    }

    public string UserName(uint user) => _users.TryGetValue(user, out var known) ? known.Name : user.ToString(CultureInfo.InvariantCulture);

    public string GroupName(uint group) => _groups.TryGetValue(group, out var known) ? known.Name : group.ToString(CultureInfo.InvariantCulture);

    /// <summary>
    /// Whether the group is the user's own, with nobody else in it: where users have such groups, what they make is writable for the group
    /// by default (umask 002), and nobody gains by it. Root has none: there is no such default for root.
    /// </summary>
    public bool IsOwnGroup(uint user, uint group) =>
        user != 0
        && _users.TryGetValue(user, out var owner) && owner.Group == group
        && _groups.TryGetValue(group, out var own) && own.Name == owner.Name && own.Members.All(member => member == owner.Name)
        && _users.All(other => other.Key == user || other.Value.Group != group);

    private static IEnumerable<string[]> Lines(string path, int fields)
    {
        try { return [.. File.ReadLines(path).Select(line => line.Split(':')).Where(line => line.Length == fields)]; }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }

    private static uint? Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
