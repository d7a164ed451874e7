using NicHost.Host.Diagnostics.Metrics;

namespace NicHost.Host.Control;

/// <summary>As much HTTP as a scraper needs: <c>GET /metrics</c>, one request a connection.</summary>
internal sealed class HttpScrape(LineReader reader, ControlWriter writer, Func<ControlRequest, Task<ControlAnswer>> answer)
{
    private const int MostHeaders = 64;

    public async Task RunAsync(string method, string path, CancellationToken cancel)
    {
        // All of it is read: a socket that is closed with something unread makes the client lose the answer.
        var headers = 0;
        while ((await reader.ReadAsync(cancel)).Length > 0)
        {
            if (++headers > MostHeaders) throw new IOException($"More than {MostHeaders} headers.");
        }
        if (path != "/metrics") await RefuseAsync("404 Not Found", "", "There is /metrics.\n");
        else if (method is not ("GET" or "HEAD")) await RefuseAsync("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "Use GET.\n");
        else await AnswerAsync(withBody: method == "GET");
    }

    private async Task AnswerAsync(bool withBody)
    {
        var body = await answer(new ControlRequest(ControlRequests.Metrics)).WaitAsync(writer.Stopping);
        await writer.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Type: {PrometheusWriter.ContentType}\r\nConnection: close\r\n\r\n");
        if (withBody) await body.WriteToAsync(writer);
    }

    private ValueTask RefuseAsync(string status, string header, string text) =>
        writer.WriteAsync($"HTTP/1.1 {status}\r\n{header}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {text.Length}\r\nConnection: close\r\n\r\n{text}");
}
