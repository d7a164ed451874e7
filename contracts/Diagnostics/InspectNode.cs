namespace NicHost.Contracts.Diagnostics;

/// <summary>A node of an inspect tree: a named value, or a named section with children in the order they were written.</summary>
public sealed class InspectNode
{
    internal InspectNode(string name, object? value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>Name, in camel case.</summary>
    public string Name { get; }

    /// <summary>A string, long, double or bool; null for a section and for an absent value.</summary>
    public object? Value { get; }

    /// <summary>Whether this is a section.</summary>
    public bool IsSection { get; internal init; }

    /// <summary>The children of a section.</summary>
    public IList<InspectNode> Children { get; } = [];
}
