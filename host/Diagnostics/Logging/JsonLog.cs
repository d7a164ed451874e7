using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NicHost.Contracts.Diagnostics;

namespace NicHost.Host.Diagnostics.Logging;

/// <summary>One JSON object a line. Members: time, level, category, eventId, event, message, values, exception.</summary>
internal static class JsonLog
{
    private const string Template = "{OriginalFormat}";

    public static string Line(in LogEntry entry)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", entry.Time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", InspectWriter.CamelCase(entry.Level.ToString()));
            json.WriteString("category", entry.Category);
            json.WriteNumber("eventId", entry.Event.Id);
            if (entry.Event.Name is { } name) json.WriteString("event", name);
            json.WriteString("message", entry.Message);
            if (entry.State is IReadOnlyList<KeyValuePair<string, object?>> values && values.Any(v => v.Key != Template)) WriteValues(json, values);
            if (entry.Exception is { } exception) json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteValues(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        json.WriteStartObject("values");
        foreach (var (name, value) in values)
        {
            if (name is Template or "") continue;
            json.WritePropertyName(InspectWriter.CamelCase(name));
            WriteValue(json, value);
        }
        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool b: json.WriteBooleanValue(b); break;
            case sbyte or byte or short or ushort or int or uint or long: json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture)); break;
            case ulong u: json.WriteNumberValue(u); break;
            case double or float when double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)): json.WriteNumberValue(Convert.ToDouble(value, CultureInfo.InvariantCulture)); break;
            case not string and IEnumerable items:
                json.WriteStartArray();
                foreach (var item in items) WriteValue(json, item);
                json.WriteEndArray();
                break;
            default: json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }
}
