using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using NicHost.Host.Plugins;

namespace NicHost.Host.Control;

/// <summary>
/// Answers operators on a UNIX socket that only the host's user may open. A request is one line, <c>VERB ARGUMENT…</c>; the answer's first
/// line is <c>ok</c> or <c>error REASON</c>, the rest is the body, and then the connection ends.
/// </summary>
internal sealed partial class ControlServer : IAsyncDisposable
{
    private const int LongestRequest = 1024;
    private const int Clients = 8;
    private static readonly TimeSpan ClientLimit = TimeSpan.FromSeconds(10);

    private readonly string _path;
    private readonly Socket _listener;
    private readonly Func<string[], Task<string>> _answer;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _room = new(Clients);
    private Task _accepting = Task.CompletedTask;

    private ControlServer(string path, Socket listener, Func<string[], Task<string>> answer, ILogger log) =>
        (_path, _listener, _answer, _log) = (path, listener, answer, log);

    /// <summary>Binds and serves.</summary>
    /// <param name="path">The socket; one that a dead host left is replaced.</param>
    /// <param name="answer">Gives the body for a request's words; throws <see cref="ControlException"/> for an error.</param>
    /// <param name="logging">Where logs go.</param>
    /// <exception cref="IOException">Another host answers there, or the path cannot be used.</exception>
    public static async Task<ControlServer> StartAsync(string path, Func<string[], Task<string>> answer, ILoggerFactory logging)
    {
        await RemoveStaleAsync(path);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            listener.Bind(new UnixDomainSocketEndPoint(path));
            // Before listen: until then nobody can connect.
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(Clients);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or UnauthorizedAccessException)
        {
            listener.Dispose();
            throw new IOException($"The control socket {path} cannot be made: {e.Message} Choose another with --control PATH.", e);
        }
        var server = new ControlServer(path, listener, answer, logging.CreateLogger("NicHost.Control"));
        server._accepting = Task.Run(server.AcceptAsync);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        File.Delete(_path);
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
        _room.Dispose();
    }

    private static async Task RemoveStaleAsync(string path)
    {
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await probe.ConnectAsync(new UnixDomainSocketEndPoint(path)).WaitAsync(TimeSpan.FromSeconds(2));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
            return;
        }
        catch (Exception e) when (e is SocketException or TimeoutException) { }
        throw new IOException($"The control socket {path} is in use: another host runs. Choose another with --control PATH.");
    }

    private async Task AcceptAsync()
    {
        var clients = new HashSet<Task>();
        try
        {
            while (true)
            {
                await _room.WaitAsync(_stopping.Token);
                var client = ServeAsync(await _listener.AcceptAsync(_stopping.Token));
                clients.RemoveWhere(t => t.IsCompleted);
                clients.Add(client);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException) { }
        catch (SocketException e) { LogEnded(_log, e); }
        await Task.WhenAll(clients);
    }

    private async Task ServeAsync(Socket client)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
            limit.CancelAfter(ClientLimit);
            await using var stream = new NetworkStream(client, ownsSocket: true);
            var words = (await ReadLineAsync(stream, limit.Token)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string answer;
            try { answer = "ok\n" + await _answer(words).WaitAsync(limit.Token); }
            catch (ControlException e) { answer = $"error {e.Message}\n"; }
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), limit.Token);
        }
#pragma warning disable CA1031 // a client that goes away, or that we cannot serve, is its own loss
        catch (Exception e) { LogClient(_log, PluginFault.Describe(e)); }
#pragma warning restore CA1031
        finally { _room.Release(); }
    }

    private static async Task<string> ReadLineAsync(NetworkStream stream, CancellationToken cancel)
    {
        var buffer = new byte[LongestRequest];
        var length = 0;
        while (length < buffer.Length)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
            if (read == 0) break;
            length += read;
            var end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
            if (end >= 0) return Encoding.UTF8.GetString(buffer, 0, end);
        }
        throw new IOException("A request is one line of at most 1024 bytes.");
    }

    [LoggerMessage(300, LogLevel.Debug, "A control client was not served: {Reason}")]
    private static partial void LogClient(ILogger log, string reason);

    [LoggerMessage(301, LogLevel.Error, "The control socket ended.")]
    private static partial void LogEnded(ILogger log, Exception e);
}

/// <summary>A request that cannot be answered; the message goes to the operator.</summary>
internal sealed class ControlException(string message) : Exception(message);
