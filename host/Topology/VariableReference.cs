namespace NicHost.Host.Topology;

/// <summary>One <c>${kind:NAME|default}</c>.</summary>
internal sealed record VariableReference(string Kind, string Name, string? Default)
{
    public bool IsText => Kind == "env";

    public bool IsNumber => Kind == "number";

    /// <summary>Reads it, braces included; null when it is none that there is.</summary>
    public static VariableReference? Parse(string reference)
    {
        var inner = reference[2..^1];
        var colon = inner.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0 || inner[..colon] is not ("env" or "number" or "flag")) return null;
        var bar = inner.IndexOf('|', colon);
        var name = bar < 0 ? inner[(colon + 1)..] : inner[(colon + 1)..bar];
        return IsName(name) ? new VariableReference(inner[..colon], name, bar < 0 ? null : inner[(bar + 1)..]) : null;
    }

    public static bool IsName(string text) =>
        text.Length > 0 && !char.IsAsciiDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
