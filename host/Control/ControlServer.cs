using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>
/// Answers operators on a UNIX socket. A request is one line, <c>VERB ARGUMENT…</c>; the answer's first line is <c>ok</c> or
/// <c>error REASON</c>, the rest is the body, and then the connection ends. Descriptors may come along with a request. A line that is an HTTP
/// request gets an HTTP response.
/// </summary>
internal sealed partial class ControlServer : IAsyncDisposable
{
    private const int Clients = 8;

    private readonly string _path;
    private readonly Socket _listener;
    private readonly Func<ControlRequest, Task<ControlAnswer>> _answer;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _room = new(Clients);
    private readonly Task _accepting;

    private ControlServer(string path, Socket listener, Func<ControlRequest, Task<ControlAnswer>> answer, ILogger log)
    {
        (_path, _listener, _answer, _log) = (path, listener, answer, log);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Binds and serves.</summary>
    /// <param name="socket">Where; what a dead host left there is replaced.</param>
    /// <param name="answer">Gives the body for a request's words; throws <see cref="ControlException"/> for an error.</param>
    /// <param name="logging">Where logs go.</param>
    /// <exception cref="IOException">Another host answers there, or the path cannot be used.</exception>
    public static ControlServer Start(ControlSocket socket, Func<ControlRequest, Task<ControlAnswer>> answer, ILoggerFactory logging) =>
        new(socket.Path, socket.Listen(), answer, logging.CreateLogger("NicHost.Control"));

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        UnixSocket.Unlink(_path);
        _listener.Dispose();
        await _accepting;
        _stopping.Dispose();
        _room.Dispose();
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
            if (_log.IsEnabled(LogLevel.Debug) && UnixSocket.GetPeer((int)client.Handle, out var peer).Ok) LogClient(_log, peer.ProcessId, peer.UserId, peer.GroupId);
            await using var stream = new NetworkStream(client, ownsSocket: true);
            using var input = new ControlInput(client);
            await new ControlConversation(stream, input, _answer, _stopping.Token).RunAsync();
        }
#pragma warning disable CA1031 // a client that goes away, or that we cannot serve, is its own loss
        catch (Exception e) { LogNotServed(_log, e.Message); }
#pragma warning restore CA1031
        finally { _room.Release(); }
    }

    [LoggerMessage(300, LogLevel.Debug, "A control client was not served: {Reason}")]
    private static partial void LogNotServed(ILogger log, string reason);

    [LoggerMessage(301, LogLevel.Error, "The control socket ended: no command reaches this host any more.")]
    private static partial void LogEnded(ILogger log, Exception e);

    [LoggerMessage(302, LogLevel.Debug, "A control client: process {Pid} of user {User} and group {Group}.")]
    private static partial void LogClient(ILogger log, int pid, uint user, uint group);
}
