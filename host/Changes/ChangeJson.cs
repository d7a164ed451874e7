using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;

namespace NicHost.Host.Changes;

/// <summary>A plan, or what came of it, as JSON for programs: the same facts as <see cref="ChangeText"/>.</summary>
internal static class ChangeJson
{
    private static readonly JsonWriterOptions Format = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Render(ChangePlan plan, bool applied, IReadOnlyDictionary<NicIdentity, string> failures)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Format))
        {
            json.WriteStartObject();
            json.WriteBoolean("applied", applied);
            json.WriteStartArray("vms");
            foreach (var vm in plan.Vms) Write(json, vm, failures);
            json.WriteEndArray();
            json.WriteStartArray("notes");
            foreach (var note in plan.Notes) json.WriteStringValue(note);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length) + "\n";
    }

    private static void Write(Utf8JsonWriter json, VmChange vm, IReadOnlyDictionary<NicIdentity, string> failures)
    {
        json.WriteStartObject();
        json.WriteString("vm", vm.Name);
        json.WriteString("change", InspectWriter.CamelCase(vm.Kind.ToString()));
        json.WriteStartArray("nics");
        foreach (var nic in vm.Nics)
        {
            json.WriteStartObject();
            json.WriteString("nic", nic.Nic.ToString());
            json.WriteString("change", InspectWriter.CamelCase(nic.Kind.ToString()));
            if (nic.Why is { } why) json.WriteString("why", why);
            if (failures.TryGetValue(nic.Nic, out var failure)) json.WriteString("failure", failure);
            json.WriteStartArray("members");
            foreach (var member in nic.Members) Write(json, member);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, MemberChange member)
    {
        json.WriteStartObject();
        json.WriteString("path", member.Path);
        Value("from", member.From);
        Value("to", member.To);
        json.WriteEndObject();

        void Value(string name, string? value)
        {
            json.WritePropertyName(name);
            if (value is null) json.WriteNullValue();
            else json.WriteRawValue(value);
        }
    }
}
