namespace NicHost.Contracts.Diagnostics;

/// <summary>Collects an inspect tree. One writer serves one call; it is not for several threads.</summary>
public sealed class InspectWriter
{
    private readonly Stack<InspectNode> _open = new();

    /// <summary>Starts a tree whose root is a section called <paramref name="name"/>.</summary>
    public InspectWriter(string name)
    {
        Root = new InspectNode(name, null) { IsSection = true };
        _open.Push(Root);
    }

    /// <summary>The tree so far.</summary>
    public InspectNode Root { get; }

    /// <summary>Writes a text; null stands for "none".</summary>
    public void Value(string name, string? value) => Add(name, value);

    /// <summary>Writes a number.</summary>
    public void Value(string name, long value) => Add(name, value);

    /// <summary>Writes a number with a fraction.</summary>
    public void Value(string name, double value) => Add(name, value);

    /// <summary>Writes a truth value.</summary>
    public void Value(string name, bool value) => Add(name, value);

    /// <summary>Opens a section; disposing the result closes it.</summary>
    public SectionScope Section(string name)
    {
        var section = new InspectNode(name, null) { IsSection = true };
        _open.Peek().Children.Add(section);
        _open.Push(section);
        return new SectionScope(this);
    }

    /// <summary>Writes another object's state as a section.</summary>
    public void Section(string name, IInspectable inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        using (Section(name)) inner.Inspect(this);
    }

    /// <summary><c>NoBuffer</c> becomes <c>noBuffer</c>.</summary>
    public static string CamelCase(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return char.ToLowerInvariant(name[0]) + name[1..];
    }

    private void Add(string name, object? value) => _open.Peek().Children.Add(new InspectNode(name, value));

    /// <summary>An open section.</summary>
    public readonly struct SectionScope(InspectWriter writer) : IDisposable
    {
        /// <summary>Closes the section.</summary>
        public void Dispose() => writer._open.Pop();
    }
}
