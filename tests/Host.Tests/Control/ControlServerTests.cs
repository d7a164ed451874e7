using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Host.Control;

namespace NicHost.Host.Tests.Control;

public sealed class ControlServerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-control-").FullName;
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;

    private string SocketPath => Path.Combine(_folder, "c.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Server_answers_its_user_only_and_removes_its_socket()
    {
        await using (Start())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(SocketPath));
            Assert.Equal("words: a b", await ControlClient.AskAsync(SocketPath, "a  b", _limit));
            var error = await Assert.ThrowsAsync<ControlException>(() => ControlClient.AskAsync(SocketPath, "error", _limit));
            Assert.Equal("as asked", error.Message);
        }
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Client_that_says_nothing_or_too_much_does_not_keep_others_waiting()
    {
        await using var server = Start();
        using var silent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await silent.ConnectAsync(new UnixDomainSocketEndPoint(SocketPath), _limit);
        await Assert.ThrowsAsync<ControlException>(() => ControlClient.AskAsync(SocketPath, new string('x', 5000), _limit));
        Assert.Equal("words: a", await ControlClient.AskAsync(SocketPath, "a", _limit));
    }

    [Fact]
    public async Task Socket_of_a_dead_host_is_replaced_that_of_a_living_one_is_not()
    {
        // Closing leaves the file, as a kill does.
        NicHost.Linux.UnixSocket.Listen(SocketPath).Dispose();
        Assert.True(File.Exists(SocketPath));
        await using var server = Start();
        var refused = Assert.Throws<IOException>(Start);
        Assert.Contains($"in use by process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
        Assert.Equal("words: a", await ControlClient.AskAsync(SocketPath, "a", _limit));
    }

    [Fact]
    public void Path_that_cannot_be_used_is_told_with_its_remedy()
    {
        File.WriteAllText(Path.Combine(_folder, "file"), "");
        foreach (var path in new[] { Path.Combine(_folder, "missing/c.sock"), Path.Combine(_folder, "file"), "/tmp/" + new string('x', 200) })
        {
            var refused = Assert.Throws<IOException>(() => ControlServer.Start(new ControlSocket(path), Answer, NullLoggerFactory.Instance));
            Assert.Contains("--control", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Client_without_a_host_says_how_to_start_one()
    {
        var refused = await Assert.ThrowsAsync<ControlException>(() => ControlClient.AskAsync(SocketPath, "a", _limit));
        Assert.True(refused.IsNoHost);
        Assert.Contains("nichost run", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_that_is_larger_than_any_buffer_arrives_whole()
    {
        await using var server = Start();
        var answer = await ControlClient.AskAsync(SocketPath, "many", _limit);
        Assert.Equal(Many, answer);
    }

    [Fact]
    public async Task Error_of_several_lines_arrives_whole()
    {
        await using var server = Start();
        var error = await Assert.ThrowsAsync<ControlException>(() => ControlClient.AskAsync(SocketPath, "errors", _limit));
        Assert.Equal("one\ntwo", error.Message);
        Assert.False(error.IsNoHost);
    }

    private static string Many { get; } = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i}\n"));

    private ControlServer Start() => ControlServer.Start(new ControlSocket(SocketPath), Answer, NullLoggerFactory.Instance);

    private static Task<ControlAnswer> Answer(ControlRequest request) => request.Words switch
    {
        ["error"] => throw new ControlException("as asked"),
        ["errors"] => throw new ControlException("one\ntwo"),
        ["many"] => Task.FromResult(new ControlAnswer(async writer =>
        {
            for (var start = 0; start < Many.Length; start += 1000) await writer.WriteAsync(Many[start..Math.Min(start + 1000, Many.Length)]);
        })),
        _ => Task.FromResult<ControlAnswer>($"words: {string.Join(' ', request.Words)}"),
    };
}
