using System.Text;
using System.Text.Json;

namespace NicHost.Host.Topology;

/// <summary>Where each path of a JSON text stands. A member's place is its name, an item's its value.</summary>
internal sealed class JsonPositions
{
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _again = new(StringComparer.Ordinal);
    private readonly byte[] _text;

    public JsonPositions(byte[] text, JsonReaderOptions options)
    {
        _text = text;
        var reader = new Utf8JsonReader(text, options);
        var open = new Stack<Frame>();
        string? member = null;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    member = JsonPath.Member(open.Peek().Path, ReadText(ref reader));
                    // What is doubled is read once, and the first time; the second is where the mistake is.
                    if (!_offsets.TryAdd(member, (int)reader.TokenStartIndex)) _again.TryAdd(member, (int)reader.TokenStartIndex);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    open.Pop();
                    break;
                default:
                    if (reader.TokenType == JsonTokenType.String) ReadText(ref reader);
                    var path = PathOfValue(open, member, (int)reader.TokenStartIndex);
                    member = null;
                    if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                        open.Push(new Frame(path, reader.TokenType == JsonTokenType.StartArray));
                    break;
            }
        }
    }

    /// <summary>Line and column, from 1, of <paramref name="path"/> or of the nearest thing around it that is there.</summary>
    public (int Line, int Column) Find(string path)
    {
        while (path.Length > 1)
        {
            if (_offsets.TryGetValue(path, out var offset)) return Place(offset);
            path = path[..Math.Max(1, path.AsSpan(1).LastIndexOfAny('.', '[') + 1)];
        }
        return _offsets.TryGetValue("$", out var root) ? Place(root) : (1, 1);
    }

    /// <summary>Where a member is given the second time.</summary>
    public (int Line, int Column) FindAgain(string path) => _again.TryGetValue(path, out var offset) ? Place(offset) : Find(path);

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
        var before = _text.AsSpan(0, offset);
        var lineStart = before.LastIndexOf((byte)'\n') + 1;
        return (before.Count((byte)'\n') + 1, Encoding.UTF8.GetCharCount(before[lineStart..]) + 1);
    }

    private string PathOfValue(Stack<Frame> open, string? member, int offset)
    {
        if (member is not null) return member;
        var path = open.TryPeek(out var parent) && parent.IsArray ? JsonPath.Item(parent.Path, parent.Next++) : "$";
        _offsets.TryAdd(path, offset);
        return path;
    }

    private sealed class Frame(string path, bool isArray)
    {
        public string Path { get; } = path;
        public bool IsArray { get; } = isArray;
        public int Next { get; set; }
    }
}
