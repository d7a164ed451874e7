using System.Runtime.Versioning;
using System.Text;

namespace NicHost.Linux.Tests;

[SupportedOSPlatform("linux")]
public sealed class UnixSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-").FullName;

    private string SocketPath => Path.Combine(_folder, "s.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(UnixSocketType.Stream)]
    [InlineData(UnixSocketType.SeqPacket)]
    public void Connection_is_accepted_and_says_who_is_there(UnixSocketType type)
    {
        using Fd listener = UnixSocket.Listen(SocketPath, type);
        Assert.True(UnixSocket.Accept(listener.Raw).WouldBlock);
        using Fd client = UnixSocket.Connect(SocketPath, type);
        using Fd server = new(UnixSocket.Accept(listener.Raw).Fd);

        Assert.True(UnixSocket.GetPeer(server.Raw, out PeerCredentials peer).Ok);
        Assert.Equal(Environment.ProcessId, peer.ProcessId);
        Assert.Equal(ThisProcess.EffectiveUserId, peer.UserId);
        Assert.Equal(3, Sockets.Send(client.Raw, "abc"u8).Count);
        byte[] data = new byte[8];
        Assert.Equal(3, Sockets.Receive(server.Raw, data).Count);
        Assert.Equal("abc", Encoding.ASCII.GetString(data, 0, 3));
    }

    [Theory]
    [InlineData(0x180u)]
    [InlineData(0x1B6u)]
    [InlineData(0x1B0u)]
    public void Socket_file_has_the_mode_that_was_asked_for(uint mode)
    {
        using Fd listener = UnixSocket.Listen(SocketPath, mode: mode);
        Assert.Equal(mode, (uint)File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public void Stale_socket_is_replaced_and_a_living_one_is_not()
    {
        Fd first = UnixSocket.Listen(SocketPath);
        LinuxException inUse = Assert.Throws<LinuxException>(() => UnixSocket.Listen(SocketPath));
        Assert.Equal(Errno.EADDRINUSE, inUse.Errno);
        Assert.Contains(SocketPath, inUse.Message, StringComparison.Ordinal);
        LinuxException otherType = Assert.Throws<LinuxException>(() => UnixSocket.Listen(SocketPath, UnixSocketType.SeqPacket));
        Assert.Equal(Errno.EADDRINUSE, otherType.Errno);

        first.Dispose();
        using Fd second = UnixSocket.Listen(SocketPath);
        using Fd client = UnixSocket.Connect(SocketPath);
        Assert.False(client.IsInvalid);
    }

    [Fact]
    public void File_that_is_no_socket_is_never_removed()
    {
        File.WriteAllText(SocketPath, "precious");
        Assert.False(UnixSocket.RemoveStale(SocketPath));
        Assert.Throws<LinuxException>(() => UnixSocket.Listen(SocketPath));
        Assert.Equal("precious", File.ReadAllText(SocketPath));
    }

    [Fact]
    public void Path_that_is_too_long_is_named_with_its_length()
    {
        LinuxException error = Assert.Throws<LinuxException>(() => UnixSocket.Listen(Path.Combine(_folder, new string('x', 200))));
        Assert.Equal(Errno.ENAMETOOLONG, error.Errno);
        Assert.Contains("107", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_listening_is_an_error_value()
    {
        Assert.Equal(Errno.ENOENT, UnixSocket.TryConnect(SocketPath, UnixSocketType.Stream, out Fd? fd).Error);
        Assert.Null(fd);
    }
}
