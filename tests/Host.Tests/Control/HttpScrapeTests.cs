using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Host.Control;

namespace NicHost.Host.Tests.Control;

/// <summary>The platform's own HTTP client against the control socket.</summary>
public sealed class HttpScrapeTests : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-http-").FullName;
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
    private readonly ControlServer _server;
    private readonly HttpClient _client;

    public HttpScrapeTests()
    {
        var path = Path.Combine(_folder, "c.sock");
        _server = ControlServer.Start(new ControlSocket(path), request => Task.FromResult<ControlAnswer>($"asked for {string.Join(' ', request.Words)}\n"), NullLoggerFactory.Instance);
        _client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
    }

    [Fact]
    public async Task Scrape_gets_the_metrics_as_Prometheus_wants_them()
    {
        // The second one shows that the first did not leave the connection in a state of its own.
        for (var i = 0; i < 2; i++)
        {
            using var response = await _client.GetAsync(new Uri("http://localhost/metrics"), _limit);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
            Assert.Equal("asked for metrics\n", await response.Content.ReadAsStringAsync(_limit));
        }
    }

    [Fact]
    public async Task Scrape_of_the_head_has_no_body()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "http://localhost/metrics");
        using var response = await _client.SendAsync(request, _limit);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsStringAsync(_limit));
    }

    [Theory]
    [InlineData("GET", "/", HttpStatusCode.NotFound)]
    [InlineData("GET", "/metrics/../x", HttpStatusCode.NotFound)]
    [InlineData("POST", "/metrics", HttpStatusCode.MethodNotAllowed)]
    public async Task Anything_else_is_refused(string method, string path, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"http://localhost{path}");
        using var response = await _client.SendAsync(request, _limit);
        Assert.Equal(expected, response.StatusCode);
        Assert.NotEmpty(await response.Content.ReadAsStringAsync(_limit));
    }

    [Fact]
    public async Task Scraper_that_sends_headers_for_ever_is_left()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_folder, "c.sock")), _limit);
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("GET /metrics HTTP/1.1\r\n"u8.ToArray(), _limit);
        var sent = 0;
        try
        {
            while (sent++ < 100_000) await stream.WriteAsync("X: y\r\n"u8.ToArray(), _limit);
        }
        catch (IOException) { }
        Assert.InRange(sent, 1, 99_999);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
