using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>Copies a JSON value with its variables filled in and without doubled members, of which the first is kept.</summary>
internal sealed class VariableExpander
{
    private readonly Utf8JsonWriter _json;
    private readonly Variables _variables;
    private readonly Action<string, string, string> _tell;

    private VariableExpander(Utf8JsonWriter json, Variables variables, Action<string, string, string> tell) =>
        (_json, _variables, _tell) = (json, variables, tell);

    /// <param name="root">The value; <c>$</c> of the paths.</param>
    /// <param name="variables">What variables stand for.</param>
    /// <param name="tell">Receives path, message and remedy of each that cannot be filled in; the text then stays as it is.</param>
    public static JsonElement Expand(JsonElement root, Variables variables, Action<string, string, string> tell) =>
        JsonText.Build(json => new VariableExpander(json, variables, tell).Write("$", root));

    private void Write(string path, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteObject(path, value);
                break;
            case JsonValueKind.Array:
                _json.WriteStartArray();
                var index = 0;
                foreach (var item in value.EnumerateArray()) Write(JsonPath.Item(path, index++), item);
                _json.WriteEndArray();
                break;
            case JsonValueKind.String:
                WriteText(path, value.GetString()!);
                break;
            default:
                value.WriteTo(_json);
                break;
        }
    }

    private void WriteObject(string path, JsonElement value)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        _json.WriteStartObject();
        foreach (var member in value.EnumerateObject())
        {
            if (!seen.Add(member.Name)) continue;
            _json.WritePropertyName(member.Name);
            Write(JsonPath.Member(path, member.Name), member.Value);
        }
        _json.WriteEndObject();
    }

    private void WriteText(string path, string text)
    {
        var expansion = _variables.Expand(text);
        foreach (var (message, remedy) in expansion.Faults) _tell(path, message, remedy);
        if (expansion.Literal is { } literal) _json.WriteRawValue(literal);
        else _json.WriteStringValue(expansion.Text);
    }
}
