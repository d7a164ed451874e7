using System.Text;

namespace NicHost.Host.Control;

/// <summary>One client: its request, and the answer.</summary>
internal sealed class ControlConversation(Stream stream, Func<string[], Task<ControlAnswer>> answer, CancellationToken stopping)
{
    private const int LongestRequest = 1024;

    /// <summary>How long a client may think before it asks, and between two pieces that it reads.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ControlWriter _writer = new(stream, Patience, stopping);

    public async Task RunAsync()
    {
        var words = (await ReadLineAsync()).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        ControlAnswer body;
        try { body = await answer(words).WaitAsync(stopping); }
        catch (ControlException e)
        {
            await _writer.WriteAsync($"error {e.Message}\n");
            return;
        }
        await _writer.WriteAsync("ok\n");
        await body.WriteToAsync(_writer);
    }

    private async Task<string> ReadLineAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Patience);
        var buffer = new byte[LongestRequest];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), limit.Token);
            if (read == 0) break;
            var end = buffer.AsSpan(length, read).IndexOf((byte)'\n');
            if (end >= 0) return Encoding.UTF8.GetString(buffer, 0, length + end);
            length += read;
        }
        throw new IOException($"A request is one line of at most {LongestRequest} bytes.");
    }
}
