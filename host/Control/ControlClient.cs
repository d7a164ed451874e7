using System.Net.Sockets;
using System.Text;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Asks a running host.</summary>
internal static class ControlClient
{
    /// <summary>Sends one request.</summary>
    /// <returns>The body.</returns>
    /// <exception cref="ControlException">No host answers, or it answers with an error.</exception>
    public static Task<string> AskAsync(string path, string request, CancellationToken cancel) => AskAsync(path, request, [], cancel);

    /// <summary>Sends one request with descriptors, which stay the caller's.</summary>
    /// <returns>The body.</returns>
    /// <exception cref="ControlException">No host answers, or it answers with an error.</exception>
    public static async Task<string> AskAsync(string path, string request, IReadOnlyList<int> descriptors, CancellationToken cancel)
    {
        using var body = new MemoryStream();
        await AskAsync(path, request, descriptors, body, cancel);
        return Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
    }

    /// <summary>Sends one request and writes the body to <paramref name="output"/> as it comes.</summary>
    /// <exception cref="ControlException">No host answers, or it answers with an error.</exception>
    public static Task AskAsync(string path, string request, Stream output, CancellationToken cancel) => AskAsync(path, request, [], output, cancel);

    private static async Task AskAsync(string path, string request, IReadOnlyList<int> descriptors, Stream output, CancellationToken cancel)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            await using var stream = new NetworkStream(socket);
            var line = Encoding.UTF8.GetBytes(request + "\n");
            // They travel with the first byte.
            if (descriptors.Count > 0 && UnixSocket.SendWithFds((int)socket.Handle, line.AsSpan(0, 1), [.. descriptors]) is { Failed: true } failed)
                throw new ControlException($"Descriptors {string.Join(", ", descriptors)} cannot be passed: {LinuxException.Describe(failed.Error)}");
            await stream.WriteAsync(line.AsMemory(descriptors.Count > 0 ? 1 : 0), cancel);
            var status = await ReadStatusAsync(stream, cancel);
            if (status != "ok") throw Refusal($"{status}\n{await new StreamReader(stream).ReadToEndAsync(cancel)}");
            await stream.CopyToAsync(output, cancel);
        }
        catch (Exception e) when (e is SocketException or IOException or ArgumentException)
        {
            throw new ControlException($"No host answers at {path} ({e.Message}). Start one with \"nichost run\", or name its socket with --control PATH.") { IsNoHost = true };
        }
    }

    // Byte by byte: what follows belongs to the body.
    private static async Task<string> ReadStatusAsync(NetworkStream stream, CancellationToken cancel)
    {
        var line = new List<byte>();
        var next = new byte[1];
        while (await stream.ReadAsync(next, cancel) > 0 && next[0] != '\n') line.Add(next[0]);
        return Encoding.UTF8.GetString([.. line]);
    }

    private static ControlException Refusal(string answer) => answer.StartsWith("error ", StringComparison.Ordinal)
        ? new ControlException(answer[6..].TrimEnd())
        : new ControlException("The host ended the conversation.") { IsNoHost = true };
}
