using System.Text;
using System.Text.RegularExpressions;

namespace NicHost.Host.Topology;

/// <summary>
/// Fills environment variables into texts: <c>${env:NAME}</c>, <c>${env:NAME|default}</c>. A text that is <c>${number:NAME}</c> or
/// <c>${flag:NAME}</c> and nothing else becomes a number or a truth value. <c>$${</c> is a plain <c>${</c>.
/// </summary>
internal sealed partial class Variables(Func<string, string?> lookup)
{
    private const int MaxLength = 64 * 1024;
    private const int MaxTotal = 16 * 1024 * 1024;

    private const string Open = "${";
    private const string Escaped = "$${";

    private int _total;

    /// <summary>Those of this process.</summary>
    public static Variables Environment => new(System.Environment.GetEnvironmentVariable);

    /// <summary>The text that expands to <paramref name="text"/>, whatever that is.</summary>
    public static string Escape(string text) => text.Replace(Open, Escaped, StringComparison.Ordinal);

    public Expansion Expand(string text)
    {
        if (!text.Contains(Open, StringComparison.Ordinal)) return new Expansion(text, null, []);
        var faults = new List<(string Message, string Remedy)>();
        var filled = new StringBuilder();
        string? literal = null;
        for (var i = 0; i < text.Length;)
        {
            if (Starts(text, i, Escaped))
            {
                filled.Append(Open);
                i += Escaped.Length;
            }
            else if (Starts(text, i, Open))
            {
                var close = text.IndexOf('}', i);
                var end = close < 0 ? text.Length : close + 1;
                var reference = text[i..end];
                if (close < 0) faults.Add(($"\"{Shorten(reference)}\" is not closed.", "Add the closing brace; a plain ${ is written $${."));
                else if (VariableReference.Parse(reference) is not { } variable) faults.Add(Unknown(reference));
                else if (variable.IsText) filled.Append(Text(variable, faults));
                else if (reference.Length == text.Length) literal = Literal(variable, faults);
                else faults.Add(($"{Shorten(reference)} makes a value by itself, not a part of a text.", $"Use ${{env:{variable.Name}}} here."));
                i = end;
            }
            else
            {
                filled.Append(text[i++]);
            }
            if (filled.Length <= MaxLength && _total + filled.Length <= MaxTotal) continue;
            faults.Add(("With its variables filled in, this becomes too long.", $"Use shorter values: {MaxLength} characters a text, {MaxTotal} in all."));
            break;
        }
        _total += filled.Length;
        return faults.Count == 0 ? new Expansion(filled.ToString(), literal, faults) : new Expansion(text, null, faults);
    }

    private string Text(VariableReference variable, List<(string, string)> faults) => Value(variable, faults) ?? "";

    private string? Literal(VariableReference variable, List<(string, string)> faults)
    {
        if (Value(variable, faults) is not { } value) return null;
        if (variable.IsNumber ? JsonNumber.IsMatch(value) : value is "true" or "false") return value;
        var from = lookup(variable.Name) is null ? "The default" : $"The value of {variable.Name},";
        faults.Add(variable.IsNumber
            ? ($"{from} \"{Shorten(value)}\" is not a number.", "Give a number, such as 2.")
            : ($"{from} \"{Shorten(value)}\" is neither true nor false.", "Give one of the two."));
        return null;
    }

    private string? Value(VariableReference variable, List<(string, string)> faults)
    {
        var value = lookup(variable.Name) ?? variable.Default;
        if (value is null)
            faults.Add(($"The environment has no variable {variable.Name}.", $"Set it, or give a default: ${{{variable.Kind}:{variable.Name}|…}}."));
        return value;
    }

    private static (string Message, string Remedy) Unknown(string reference)
    {
        var inner = reference[2..^1];
        var colon = inner.IndexOf(':', StringComparison.Ordinal);
        var name = (colon < 0 ? inner : inner[(colon + 1)..]).Split('|')[0];
        if (!VariableReference.IsName(name))
            return ($"\"{Shorten(name)}\" is no name of a variable.", "Use letters, digits and _, and no digit first; a plain ${ is written $${.");
        return colon < 0
            ? ($"{Shorten(reference)} does not say where its value comes from.", $"Write ${{env:{name}}}; a plain ${{ is written $${{.")
            : ($"There are no variables of the kind \"{Shorten(inner[..colon])}\".", $"Write ${{env:{name}}}, ${{number:{name}}} or ${{flag:{name}}}; a plain ${{ is written $${{.");
    }

    [GeneratedRegex("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?\\z")]
    private static partial Regex JsonNumber { get; }

    private static bool Starts(string text, int at, string with) => string.CompareOrdinal(text, at, with, 0, with.Length) == 0;

    private static string Shorten(string text) => text.Length <= 40 ? text : string.Concat(text.AsSpan(0, 37), "...");
}

/// <summary>What became of a text.</summary>
/// <param name="Text">With variables filled in; as it was when there are faults.</param>
/// <param name="Literal">The JSON number or truth value that it became instead.</param>
/// <param name="Faults">What could not be filled in.</param>
internal readonly record struct Expansion(string Text, string? Literal, IReadOnlyList<(string Message, string Remedy)> Faults);
