using System.Net.Sockets;
using System.Text;

namespace NicHost.Host.Control;

/// <summary>Asks a running host.</summary>
internal static class ControlClient
{
    /// <summary>Sends one request.</summary>
    /// <returns>The body.</returns>
    /// <exception cref="ControlException">No host answers, or it answers with an error.</exception>
    public static async Task<string> AskAsync(string path, string request, CancellationToken cancel)
    {
        string answer;
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            await using var stream = new NetworkStream(socket);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(request + "\n"), cancel);
            using var reader = new StreamReader(stream);
            answer = await reader.ReadToEndAsync(cancel);
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException)
        {
            throw new ControlException($"No host answers at {path} ({e.Message}). Start one with \"nichost run\", or name its socket with --control PATH.");
        }
        if (answer.StartsWith("ok\n", StringComparison.Ordinal)) return answer[3..];
        throw new ControlException(answer.StartsWith("error ", StringComparison.Ordinal) ? answer[6..].TrimEnd() : "The host ended the conversation.");
    }
}
