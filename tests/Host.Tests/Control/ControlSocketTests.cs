using NicHost.Host.Control;
using NicHost.Host.Tests.Doubles;
using NicHost.Linux;

namespace NicHost.Host.Tests.Control;

public sealed class ControlSocketTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-rights-").FullName;

    private string SocketPath => Path.Combine(_folder, "c.sock");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Socket_belongs_to_whom_the_settings_name()
    {
        // Who is not root can give a file to nobody but itself.
        var (owner, group) = Environment.IsPrivilegedProcess ? ("nobody", "nogroup") : ($"{ThisProcess.UserId}", $"{ThisProcess.GroupId}");
        using var listener = new ControlSocket(SocketPath) { Mode = (UnixFileMode)Convert.ToInt32("660", 8), Owner = owner, Group = group }.Listen();
        Assert.Equal(new FileRights(0x1b0, Accounts.ParseUser(owner)!.Value, Accounts.ParseGroup(group)!.Value), FileRights.Of(SocketPath));
    }

    [Theory]
    [InlineData("no-such-user", null, "this machine has no user \"no-such-user\". Name another one with --control-owner")]
    [InlineData(null, "no-such-group", "this machine has no group \"no-such-group\". Name another one with --control-group")]
    public void Account_that_is_not_there_is_told_before_anything_is_made(string? owner, string? group, string message)
    {
        var refused = Assert.Throws<IOException>(() => new ControlSocket(SocketPath) { Owner = owner, Group = group }.Listen());
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task Client_is_noted_with_its_process_and_user()
    {
        var log = new LogList();
        await using var server = ControlServer.Start(new ControlSocket(SocketPath), _ => Task.FromResult<ControlAnswer>(""), log);
        await ControlClient.AskAsync(SocketPath, "a", CancellationToken.None);
        Assert.Equal([$"NicHost.Control[302] A control client: process {Environment.ProcessId} of user {ThisProcess.UserId} and group {ThisProcess.GroupId}."], log.Entries);
    }
}
