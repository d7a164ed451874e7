using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace NicHost.Host.Topology;

/// <summary>JSON values and their texts.</summary>
internal static class JsonText
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Indented = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true, NewLine = "\n" };

    /// <summary>The value that <paramref name="write"/> writes.</summary>
    public static JsonElement Build(Action<Utf8JsonWriter> write)
    {
        using var buffer = Write(write, default);
        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }

    /// <summary>On one line.</summary>
    public static string Line(JsonNode value) => Text(value, Compact);

    /// <summary>On many, for people and for files.</summary>
    public static string Page(JsonNode value) => Text(value, Indented) + "\n";

    private static string Text(JsonNode value, JsonWriterOptions options)
    {
        using var buffer = Write(json => value.WriteTo(json), options);
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static MemoryStream Write(Action<Utf8JsonWriter> write, JsonWriterOptions options)
    {
        var buffer = new MemoryStream();
        using var writer = new Utf8JsonWriter(buffer, options);
        write(writer);
        return buffer;
    }
}
