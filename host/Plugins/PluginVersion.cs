using System.Text.RegularExpressions;

namespace NicHost.Host.Plugins;

/// <summary>The name of a version folder, <c>1.2.3</c> or <c>1.2.3-beta.1</c>, ordered as semantic versions are: a release is above its previews.</summary>
internal sealed partial record PluginVersion : IComparable<PluginVersion>
{
    private readonly Version _number;
    private readonly string[] _preview;

    private PluginVersion(string text, Version number, string[] preview) => (Text, _number, _preview) = (text, number, preview);

    /// <summary>As the folder is called.</summary>
    public string Text { get; }

    public static PluginVersion? Parse(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success || !Version.TryParse(match.Groups["number"].ValueSpan, out var number)) return null;
        return new PluginVersion(text, number, match.Groups["preview"] is { Success: true } preview ? preview.Value.Split('.') : []);
    }

    public int CompareTo(PluginVersion? other)
    {
        if (other is null) return 1;
        if (_number.CompareTo(other._number) is not 0 and var byNumber) return byNumber;
        if (_preview.Length == 0 || other._preview.Length == 0) return other._preview.Length.CompareTo(_preview.Length);
        for (var i = 0; i < Math.Min(_preview.Length, other._preview.Length); i++)
        {
            if (CompareIdentifiers(_preview[i], other._preview[i]) is not 0 and var byIdentifier) return byIdentifier;
        }
        return _preview.Length.CompareTo(other._preview.Length);
    }

    // Semantic Versioning 2.0.0, 11.4: numbers as numbers, and below any word.
    private static int CompareIdentifiers(string a, string b) => (ulong.TryParse(a, out var x), ulong.TryParse(b, out var y)) switch
    {
        (true, true) => x.CompareTo(y),
        (true, false) => -1,
        (false, true) => 1,
        _ => string.CompareOrdinal(a, b),
    };

    [GeneratedRegex(@"^(?<number>[0-9]+(\.[0-9]+){1,3})(-(?<preview>[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*))?(\+[0-9A-Za-z.-]+)?$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
