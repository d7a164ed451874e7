namespace NicHost.Host.Topology;

/// <summary>A member of a topology file.</summary>
internal readonly record struct Place(TopologyFile File, string Path)
{
    public Place Member(string name) => this with { Path = JsonPath.Member(Path, name) };

    /// <summary>What <paramref name="inner"/>, a path that starts at this member's <c>$</c>, stands for in the file.</summary>
    public Place Inside(string inner) => this with { Path = JsonPath.Join(Path, inner) };

    /// <summary>Whether the file has this member.</summary>
    public bool Exists => File.Has(Path);

    public bool IsWithin(Place around) => File == around.File && JsonPath.IsWithin(Path, around.Path);

    /// <summary>Reports a fault here.</summary>
    public void Add(string message, string remedy, bool isPlugins = false) => File.Add(Path, message, remedy, isPlugins);

    /// <summary>File and line, for messages that name a second place.</summary>
    public override string ToString() => $"{File.Name}:{File.Line(Path)}";
}
