using System.Text;
using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>Where each path of a JSON text stands. A member's place is its name, an item's its value.</summary>
internal sealed class JsonPositions
{
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);
    private readonly List<DoubledMember> _doubled = [];
    private readonly List<int> _lines = [0];
    private readonly byte[] _text;

    public JsonPositions(byte[] text, JsonReaderOptions options)
    {
        _text = text;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == (byte)'\n') _lines.Add(i + 1);
        }
        var reader = new Utf8JsonReader(text, options);
        var open = new Stack<Frame>();
        Member? member = null;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    member = AddMember(open, ReadText(ref reader), (int)reader.TokenStartIndex);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.Pop();
                    break;
                default:
                    if (reader.TokenType == JsonTokenType.String) ReadText(ref reader);
                    var path = member?.Path ?? PathOfItem(open, (int)reader.TokenStartIndex);
                    var isDoubled = member?.IsDoubled ?? (open.TryPeek(out var around) && around.IsDoubled);
                    member = null;
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                        open.Push(new Frame(path, reader.TokenType == JsonTokenType.StartArray, isDoubled));
                    break;
            }
        }
    }

    /// <summary>Members that their object has already: what is doubled is read once, the first time.</summary>
    public IReadOnlyList<DoubledMember> Doubled => _doubled;

    public bool Has(string path) => _offsets.ContainsKey(path);

    /// <summary>Line and column, from 1, of <paramref name="path"/> or of the nearest thing around it that is there.</summary>
    public (int Line, int Column) Find(string path)
    {
        while (path.Length > 1)
        {
            if (_offsets.TryGetValue(path, out var offset)) return Place(offset);
            path = JsonPath.Parent(path);
        }
        return _offsets.TryGetValue("$", out var root) ? Place(root) : (1, 1);
    }

    // The reader looks at a text's bytes only now: a file that is no UTF-8, or half of a surrogate pair, would come out as another exception
    // wherever the text is used.
    private string ReadText(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            var (line, column) = Place((int)reader.TokenStartIndex);
            throw new JsonException("a text is not valid UTF-8, or has half of a surrogate pair (\\ud800 to \\udfff).", null, line - 1, column - 1);
        }
    }

    private (int Line, int Column) Place(int offset)
    {
        var found = _lines.BinarySearch(offset);
        var line = found >= 0 ? found : ~found - 1;
        return (line + 1, Encoding.UTF8.GetCharCount(_text.AsSpan(_lines[line]..offset)) + 1);
    }

    private Member AddMember(Stack<Frame> open, string name, int offset)
    {
        var around = open.Peek();
        var path = JsonPath.Member(around.Path, name);
        var isFirst = _offsets.TryAdd(path, offset);
        // Within what is doubled, everything is: only the outermost is the mistake.
        if (!isFirst && !around.IsDoubled)
        {
            var (line, column) = Place(offset);
            _doubled.Add(new DoubledMember(path, around.Path, name, open.Count, line, column));
        }
        return new Member(path, around.IsDoubled || !isFirst);
    }

    private string PathOfItem(Stack<Frame> open, int offset)
    {
        var path = open.TryPeek(out var parent) && parent.IsArray ? JsonPath.Item(parent.Path, parent.Next++) : "$";
        _offsets.TryAdd(path, offset);
        return path;
    }

    private readonly record struct Member(string Path, bool IsDoubled);

    private sealed class Frame(string path, bool isArray, bool isDoubled)
    {
        public string Path { get; } = path;
        public bool IsArray { get; } = isArray;
        public bool IsDoubled { get; } = isDoubled;
        public int Next { get; set; }
    }
}

/// <summary>A member that is given again.</summary>
/// <param name="Path">Of both.</param>
/// <param name="Around">The path of the object that has them.</param>
/// <param name="Name">Its name.</param>
/// <param name="Depth">How many objects and lists are around it.</param>
/// <param name="Line">Where the second is, from 1.</param>
/// <param name="Column">Where the second is, from 1.</param>
internal sealed record DoubledMember(string Path, string Around, string Name, int Depth, int Line, int Column);
