using NicHost.Contracts.Options;

namespace NicHost.Host.Topology;

/// <summary>JSON paths as System.Text.Json writes them: <c>$.vms.web</c>, <c>$.vms['a.b']</c>, <c>$.plugins[0]</c>.</summary>
internal static class JsonPath
{
    public static string Member(string parent, string name) => OptionsPath.Member(parent, name);

    public static string Item(string parent, int index) => OptionsPath.Item(parent, index);

    /// <summary>Puts a path that starts at an inner object's <c>$</c> under that object's path.</summary>
    public static string Join(string parent, string inner) => inner.StartsWith('$') ? parent + inner[1..] : $"{parent}.{inner}";

    /// <summary>The path of what is around; <c>$</c> at the end.</summary>
    public static string Parent(string path) => path[..Math.Max(1, path.AsSpan(1).LastIndexOfAny('.', '[') + 1)];

    /// <summary>Whether <paramref name="path"/> is <paramref name="around"/> or a part of it.</summary>
    public static bool IsWithin(string path, string around) =>
        path.StartsWith(around, StringComparison.Ordinal) && (path.Length == around.Length || path[around.Length] is '.' or '[');
}
