using System.Buffers;

namespace NicHost.Host.Topology;

/// <summary>JSON paths as System.Text.Json writes them: <c>$.vms.web</c>, <c>$.vms['a.b']</c>, <c>$.plugins[0]</c>.</summary>
internal static class JsonPath
{
    private static readonly SearchValues<char> Special = SearchValues.Create(".[]'\"/\\ ()");

    public static string Member(string parent, string name) =>
        name.Length > 0 && name.AsSpan().IndexOfAny(Special) < 0 ? $"{parent}.{name}" : $"{parent}['{name}']";

    public static string Item(string parent, int index) => $"{parent}[{index}]";

    /// <summary>Puts a path that starts at an inner object's <c>$</c> under that object's path.</summary>
    public static string Join(string parent, string inner) => inner.StartsWith('$') ? parent + inner[1..] : $"{parent}.{inner}";
}
