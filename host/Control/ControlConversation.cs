namespace NicHost.Host.Control;

/// <summary>One client: its request, and the answer.</summary>
internal sealed class ControlConversation(Stream stream, ControlInput input, Func<ControlRequest, Task<ControlAnswer>> answer, CancellationToken stopping)
{
    private const int LongestRequest = 1024;

    /// <summary>How long a client may think before it asks, and between two pieces that it reads.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly LineReader _reader = new(input.ReadAsync, LongestRequest);
    private readonly ControlWriter _writer = new(stream, Patience, stopping);

    public async Task RunAsync()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Patience);
        var words = (await _reader.ReadAsync(limit.Token)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is [var method, var path, "HTTP/1.1" or "HTTP/1.0"])
        {
            await new HttpScrape(_reader, _writer, answer).RunAsync(method, path, limit.Token);
            return;
        }
        ControlAnswer body;
        try
        {
            if (input.TooMany) throw new ControlException($"At most {ControlInput.MostDescriptors} descriptors are taken with a request.");
            body = await answer(new ControlRequest(words, input.TakeDescriptors)).WaitAsync(stopping);
        }
        catch (ControlException e)
        {
            await _writer.WriteAsync($"error {e.Message}\n");
            return;
        }
        await _writer.WriteAsync("ok\n");
        await body.WriteToAsync(_writer);
    }
}
