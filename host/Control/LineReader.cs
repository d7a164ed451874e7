using System.Text;

namespace NicHost.Host.Control;

/// <summary>Reads a few short lines from one who may be slow, silent or talk too much.</summary>
/// <param name="readAsync">Reads from the connection: 0 at its end.</param>
/// <param name="room">Bytes that one line may have, its end included.</param>
internal sealed class LineReader(Func<Memory<byte>, CancellationToken, ValueTask<int>> readAsync, int room)
{
    private readonly byte[] _buffer = new byte[room];
    private int _length;

    /// <summary>The next line, without its end.</summary>
    /// <exception cref="IOException">It is too long, or the connection ended before it did.</exception>
    public async Task<string> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            var end = _buffer.AsSpan(0, _length).IndexOf((byte)'\n');
            if (end >= 0) return Take(end);
            var read = _length < room ? await readAsync(_buffer.AsMemory(_length), cancel) : 0;
            if (read == 0) throw new IOException($"A request is one line of at most {room} bytes.");
            _length += read;
        }
    }

    private string Take(int end)
    {
        var line = Encoding.UTF8.GetString(_buffer, 0, end).TrimEnd('\r');
        _length -= end + 1;
        Buffer.BlockCopy(_buffer, end + 1, _buffer, 0, _length);
        return line;
    }
}
