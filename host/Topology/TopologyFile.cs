using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>A topology file as JSON, its variables filled in, and with the places of its members; collects what is wrong with it.</summary>
internal sealed class TopologyFile
{
    private readonly JsonPositions _positions;
    private readonly List<TopologyFault> _faults = [];
    private readonly HashSet<(string Path, string Message)> _told = [];
    private readonly List<string> _unsound = [];

    private TopologyFile(string name, string fullPath, JsonElement root, JsonPositions positions, Variables variables)
    {
        Name = name;
        BaseDirectory = Path.GetDirectoryName(fullPath)!;
        FullPath = fullPath;
        _positions = positions;
        foreach (var doubled in positions.Doubled) AddDoubled(doubled);
        Root = VariableExpander.Expand(root, variables, AddUnsound);
    }

    /// <summary>As the user wrote it, on the command line or in a list of includes.</summary>
    public string Name { get; }

    public string FullPath { get; }

    public string BaseDirectory { get; }

    public JsonElement Root { get; }

    /// <summary>Faults so far, in the order of the file.</summary>
    public IReadOnlyList<TopologyFault> Faults => [.. _faults.OrderBy(f => f.Line).ThenBy(f => f.Column).ThenBy(f => f.Message, StringComparer.Ordinal)];

    /// <summary>Reads a text: comments and trailing commas are welcome, anything else must be JSON.</summary>
    /// <exception cref="TopologyException">It is not JSON.</exception>
    public static TopologyFile Parse(string name, string fullPath, byte[] text, Variables variables)
    {
        if (text.AsSpan().StartsWith("\uFEFF"u8)) text = text[3..];
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var positions = new JsonPositions(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return new TopologyFile(name, fullPath, document.RootElement, positions, variables);
        }
        catch (JsonException e)
        {
            var line = (int)(e.LineNumber ?? 0) + 1;
            var column = (int)(e.BytePositionInLine ?? 0) + 1;
            var message = e.Message.Split(" LineNumber:")[0].Split(" Path:")[0];
            throw new TopologyException([new TopologyFault(name, line, column, "$", $"This is not JSON: {message}", "Correct it here or just before.")]);
        }
    }

    public bool Has(string path) => _positions.Has(path);

    public int Line(string path) => _positions.Find(path).Line;

    /// <summary>Whether all variables at and within <paramref name="path"/> could be filled in.</summary>
    public bool IsSound(string path) => !_unsound.Any(unsound => JsonPath.IsWithin(unsound, path));

    /// <summary>Reports a fault, once, however many NICs come upon it.</summary>
    public void Add(string path, string message, string remedy, bool isPlugins = false)
    {
        // What is not known cannot be judged: the variable's own fault is told already.
        if (_unsound.Any(unsound => JsonPath.IsWithin(path, unsound)) || !_told.Add((path, message))) return;
        var (line, column) = _positions.Find(path);
        _faults.Add(new TopologyFault(Name, line, column, path, message, remedy) { IsPlugins = isPlugins });
    }

    private void AddUnsound(string path, string message, string remedy)
    {
        var (line, column) = _positions.Find(path);
        _faults.Add(new TopologyFault(Name, line, column, path, message, remedy));
        _unsound.Add(path);
    }

    private void AddDoubled(DoubledMember member)
    {
        const int vm = 2, nic = 4;
        var (message, remedy) = member.Depth switch
        {
            vm when member.Around == "$.vms" => ($"There are two VMs called \"{member.Name}\".", "Give each a name of its own."),
            nic when member.Around.StartsWith("$.vms", StringComparison.Ordinal) && member.Around.EndsWith(".nics", StringComparison.Ordinal)
                => ($"There are two NICs called \"{member.Name}\".", "Give each a name of its own."),
            _ => ($"\"{member.Name}\" is given twice.", "Keep one of the two."),
        };
        _faults.Add(new TopologyFault(Name, member.Line, member.Column, member.Path, message, remedy));
    }
}
