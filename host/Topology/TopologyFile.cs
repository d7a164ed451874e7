using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>A topology file as text, as JSON and with the places of its members; collects what is wrong with it.</summary>
internal sealed class TopologyFile
{
    private readonly JsonPositions _positions;
    private readonly List<TopologyFault> _faults = [];

    private TopologyFile(string name, string fullPath, JsonElement root, JsonPositions positions)
    {
        Name = name;
        BaseDirectory = Path.GetDirectoryName(fullPath)!;
        Root = root;
        _positions = positions;
    }

    /// <summary>As the user wrote it on the command line.</summary>
    public string Name { get; }

    public string BaseDirectory { get; }

    public JsonElement Root { get; }

    /// <summary>Faults so far, in the order of the file.</summary>
    public IReadOnlyList<TopologyFault> Faults => [.. _faults.OrderBy(f => f.Line).ThenBy(f => f.Column).ThenBy(f => f.Message, StringComparer.Ordinal)];

    public int FaultCount => _faults.Count;

    /// <summary>The members of <c>plugins</c> that are texts; the reader tells about the others.</summary>
    public IReadOnlyList<string> PluginRoots =>
        Root.ValueKind == JsonValueKind.Object && Root.TryGetProperty("plugins", out var roots) && roots.ValueKind == JsonValueKind.Array
            ? [.. roots.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.String).Select(r => r.GetString()!)]
            : [];

    /// <summary>Reads a file: comments and trailing commas are welcome, anything else must be JSON.</summary>
    /// <exception cref="TopologyException">It cannot be read or is not JSON.</exception>
    public static TopologyFile Open(string path)
    {
        byte[] text;
        try { text = File.ReadAllBytes(path); }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "There is no such file." : e.Message;
            throw new TopologyException([new TopologyFault(path, 1, 1, "$", reason, "Name a readable topology file, such as plugins.json.")]);
        }
        return Parse(path, text);
    }

    public static TopologyFile Parse(string path, byte[] text)
    {
        if (text.AsSpan().StartsWith("\uFEFF"u8)) text = text[3..];
        try
        {
            var document = JsonDocument.Parse(text, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            var positions = new JsonPositions(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return new TopologyFile(path, Path.GetFullPath(path), Plain(document.RootElement), positions);
        }
        catch (JsonException e)
        {
            var line = (int)(e.LineNumber ?? 0) + 1;
            var column = (int)(e.BytePositionInLine ?? 0) + 1;
            var message = e.Message.Split(" LineNumber:")[0].Split(" Path:")[0];
            throw new TopologyException([new TopologyFault(path, line, column, "$", $"This is not JSON: {message}", "Correct it here or just before.")]);
        }
    }

    /// <summary>A fault of a member that is given twice.</summary>
    public void AddDoubled(string path, string message, string remedy)
    {
        var (line, column) = _positions.FindAgain(path);
        _faults.Add(new TopologyFault(Name, line, column, path, message, remedy));
    }

    // An element keeps its raw text, and whoever binds it reads that anew: without the comments and commas that not every reader takes.
    private static JsonElement Plain(JsonElement root)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer)) root.WriteTo(writer);
        return JsonDocument.Parse(buffer.ToArray()).RootElement;
    }

    public void Add(string path, string message, string remedy)
    {
        var (line, column) = _positions.Find(path);
        _faults.Add(new TopologyFault(Name, line, column, path, message, remedy));
    }
}
