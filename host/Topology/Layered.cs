using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>A value put together from several places, which knows where each of its parts stands.</summary>
internal sealed class Layered
{
    // The topmost first: what stands there is what holds.
    private readonly Place[] _places;

    public Layered(Place place, JsonElement value) : this([place], value) { }

    private Layered(Place[] places, JsonElement value)
    {
        _places = places;
        Value = value;
    }

    public JsonElement Value { get; }

    /// <summary>Where the topmost layer stands.</summary>
    public Place Place => _places[0];

    /// <summary>False when a variable in it could not be filled in: it then means nothing.</summary>
    public bool IsSound => _places.All(place => place.File.IsSound(place.Path));

    /// <summary>Whether relative paths in it all start from one folder.</summary>
    public bool IsOfOneFolder => _places.All(place => place.File.BaseDirectory == Place.File.BaseDirectory);

    /// <summary>Objects merge member by member; of anything else the upper one holds.</summary>
    public static Layered Over(Layered? below, Layered above) =>
        below is null ? above : new Layered([.. above._places, .. below._places], JsonMerge.Overlay(below.Value, above.Value));

    /// <summary>Puts together what stands in two places of the same rank: what is in both has to be the same.</summary>
    /// <param name="first">The first of the two; null when there is none yet.</param>
    /// <param name="second">The other; faults are told there.</param>
    public static Layered Unite(Layered? first, Layered second)
    {
        if (first is null) return second;
        foreach (var path in JsonMerge.Differences(first.Value, second.Value))
            second.Find(path).Add($"This is another value than in {first.Find(path)}.", "Keep one of the two.");
        return Over(first, second);
    }

    /// <summary>A member; null when there is none.</summary>
    public Layered? Member(string name)
    {
        if (Value.ValueKind != JsonValueKind.Object || !Value.TryGetProperty(name, out var value)) return null;
        Place[] places = [.. _places.Select(place => place.Member(name)).Where(place => place.Exists)];
        return new Layered(places.Length > 0 ? places : [Place.Member(name)], value);
    }

    /// <summary>Where the part at <paramref name="path"/>, which starts at this value's <c>$</c>, or the nearest thing around it stands.</summary>
    public Place Find(string path)
    {
        for (var near = path; ; near = JsonPath.Parent(near))
        {
            foreach (var place in _places)
            {
                if (place.Inside(near).Exists) return place.Inside(path);
            }
            if (near == "$") return Place.Inside(path);
        }
    }

    /// <summary>Reports a fault of the part at <paramref name="path"/>.</summary>
    public void Add(string path, string message, string remedy, bool isPlugins = false) => Find(path).Add(message, remedy, isPlugins);
}
