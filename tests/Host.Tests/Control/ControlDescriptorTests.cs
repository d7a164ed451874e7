using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using NicHost.Host.Control;
using NicHost.Linux;
using NicHost.Testing;

namespace NicHost.Host.Tests.Control;

/// <summary>Descriptors that come with a request.</summary>
public sealed class ControlDescriptorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-control-").FullName;
    private readonly CancellationToken _limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;

    private string SocketPath => Path.Combine(_folder, "c.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Descriptors_arrive_with_their_request_open_and_in_order()
    {
        await using var server = Start(request =>
        {
            var names = request.TakeDescriptors().Select(Content);
            return $"{string.Join(' ', request.Words)}: {string.Join(", ", names)}";
        });
        using var first = FileWith("first");
        using var second = FileWith("second");
        Assert.Equal("pass web/eth0: first, second", await ControlClient.AskAsync(SocketPath, "pass web/eth0", [Raw(first), Raw(second)], _limit));
        Assert.False(first.IsClosed);
        Assert.Equal("a: ", await ControlClient.AskAsync(SocketPath, "a", _limit));
    }

    [Fact]
    public async Task Descriptors_that_nobody_takes_are_closed()
    {
        await using var server = Start(_ => "not looked at");
        using var file = FileWith("x");
        await ControlClient.AskAsync(SocketPath, "a", _limit);
        var before = OpenDescriptors.Count();
        for (var i = 0; i < 10; i++) await ControlClient.AskAsync(SocketPath, "a", [.. Enumerable.Repeat(Raw(file), 20)], _limit);
        await WaitUntil(() => OpenDescriptors.Count() <= before + 5);
    }

    [Theory]
    [InlineData(ControlInput.MostDescriptors + 1)]
    [InlineData(UnixSocket.MaxDescriptors)]
    public async Task More_descriptors_than_any_request_needs_are_refused_and_closed(int count)
    {
        await using var server = Start(request => $"{request.TakeDescriptors().Count}");
        using var file = FileWith("x");
        await ControlClient.AskAsync(SocketPath, "a", _limit);
        var before = OpenDescriptors.Count();
        var refused = await Assert.ThrowsAsync<ControlException>(() => ControlClient.AskAsync(SocketPath, "a", [.. Enumerable.Repeat(Raw(file), count)], _limit));
        Assert.Equal($"At most {ControlInput.MostDescriptors} descriptors are taken with a request.", refused.Message);
        await WaitUntil(() => OpenDescriptors.Count() <= before + 5);
    }

    private async Task WaitUntil(Func<bool> condition)
    {
        // The server closes them after its answer.
        while (!condition()) await Task.Delay(10, _limit);
    }

    private SafeFileHandle FileWith(string content)
    {
        var path = Path.Combine(_folder, content);
        File.WriteAllText(path, content);
        return File.OpenHandle(path);
    }

    private static string Content(SafeHandle handle)
    {
        using var file = (SafeFileHandle)handle;
        var bytes = new byte[RandomAccess.GetLength(file)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    private static int Raw(SafeFileHandle file) => (int)file.DangerousGetHandle();

    private ControlServer Start(Func<ControlRequest, string> answer) =>
        ControlServer.Start(new ControlSocket(SocketPath), request => Task.FromResult<ControlAnswer>(answer(request)), NullLoggerFactory.Instance);
}
