using System.Buffers;

namespace NicHost.Contracts.Options;

/// <summary>JSON paths as System.Text.Json writes them: <c>$.dns</c>, <c>$.records['a.b']</c>, <c>$.forwards[0]</c>.</summary>
internal static class OptionsPath
{
    private static readonly SearchValues<char> Special = SearchValues.Create(".[]'\"/\\ ()");

    public static string Member(string parent, string name) =>
        name.Length > 0 && name.AsSpan().IndexOfAny(Special) < 0 ? $"{parent}.{name}" : $"{parent}['{name}']";

    public static string Item(string parent, int index) => $"{parent}[{index}]";
}
