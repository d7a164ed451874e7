using System.Text.Json;

namespace NicHost.Dio.Windows;

/// <summary>Finds a virtual switch among the host's networks: by id, by name, or the Default Switch. Nothing of the answers is trusted to be there.</summary>
internal sealed class SwitchFinder(IVmSwitch windows)
{
    /// <summary>Hyper-V's Default Switch has the same id everywhere.</summary>
    public static readonly Guid DefaultSwitch = new("c08cb7b8-9b3c-408e-8e30-5e16a3aeb444");

    /// <param name="wanted">A name, an id; null for the Default Switch.</param>
    /// <exception cref="IOException">There is none, or more than one, or Windows refuses.</exception>
    public FoundSwitch Find(string? wanted)
    {
        if (wanted is null)
        {
            return Look(DefaultSwitch) ?? throw new IOException(
                $"There is no Default Switch; Windows Server has none. Name a switch: \"switch\": {{ \"name\": … }}. {Others()}");
        }
        if (Guid.TryParse(wanted, out var id)) return Look(id) ?? throw new IOException($"There is no switch {wanted}. {Others()}");
        var all = All();
        List<FoundSwitch> found = [.. all.Where(one => one.Names.Contains(wanted, StringComparer.OrdinalIgnoreCase))];
        return found.Count switch
        {
            1 => found[0],
            0 => throw new IOException($"There is no switch \"{wanted}\". {Others(all)}"),
            _ => throw new IOException($"{found.Count} switches are called \"{wanted}\". Name one by its id: {string.Join(", ", found.Select(one => one.Id))}."),
        };
    }

    private string Others()
    {
        try { return Others(All()); }
        catch (VmSwitchException e) { return $"The others cannot be listed: {e.Message}."; }
    }

    private static string Others(List<FoundSwitch> all) => all.Count == 0 ? "This host has none: make one with New-VMSwitch."
        : $"This host has {string.Join(", ", all.Select(one => $"\"{one.Name}\"").Order(StringComparer.Ordinal))}.";

    private List<FoundSwitch> All()
    {
        var all = new List<FoundSwitch>();
        using var ids = Parse(windows.Networks());
        if (ids.RootElement.ValueKind != JsonValueKind.Array) throw NotUnderstood();
        foreach (var element in ids.RootElement.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.String || !Guid.TryParse(element.GetString(), out var id)) throw NotUnderstood();
            // One that has gone since it was listed is no fault.
            if (Look(id) is { } found) all.Add(found);
        }
        return all;
    }

    private FoundSwitch? Look(Guid id)
    {
        string properties;
        try { properties = windows.Network(id); }
        catch (VmSwitchException e) when (WindowsError.IsNotFound(e.Code)) { return null; }
        using var network = Parse(properties);
        if (network.RootElement.ValueKind != JsonValueKind.Object) throw NotUnderstood();
        string?[] names = [Text(network, "Name"), Text(network, "SwitchName")];
        return new FoundSwitch(Guid.TryParse(Text(network, "SwitchGuid"), out var own) ? own : id, [.. names.OfType<string>().Where(name => name.Length > 0)]);
    }

    private static string? Text(JsonDocument document, string name) =>
        document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static JsonDocument Parse(string json)
    {
        try { return JsonDocument.Parse(json); }
        catch (JsonException e) { throw new IOException(NotUnderstood().Message, e); }
    }

    private static IOException NotUnderstood() => new("The host's network service (HCN) answered what is not understood here. Name the switch by its id, as Get-VMSwitch shows it.");
}

/// <summary>A switch.</summary>
/// <param name="Id">What vmswitch knows it by.</param>
/// <param name="Names">What people call it: the network's name and the switch's.</param>
internal sealed record FoundSwitch(Guid Id, IReadOnlyList<string> Names)
{
    public string Name => Names.Count > 0 ? Names[0] : $"{Id}";
}
