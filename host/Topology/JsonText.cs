using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>Makes JSON values.</summary>
internal static class JsonText
{
    /// <summary>The value that <paramref name="write"/> writes.</summary>
    public static JsonElement Build(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) write(writer);
        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }
}
