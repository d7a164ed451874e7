using System.Net.Sockets;
using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Where operators reach the host, and who may.</summary>
internal sealed record ControlSocket(string Path)
{
    private const int Backlog = 8;

    // Until it is known whose the file shall be, it is its maker's alone.
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const string WayOut = "Choose another socket with --control PATH, or do without with --no-control.";

    /// <summary>Rights of the socket file: who may write to it commands the host.</summary>
    public UnixFileMode Mode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Whose the file is, by name or number; null for the process's own user.</summary>
    public string? Owner { get; init; }

    /// <summary>Its group, by name or number; null for the process's own.</summary>
    public string? Group { get; init; }

    /// <summary>Binds and listens; a socket that a dead host left is replaced.</summary>
    /// <exception cref="IOException">Another host answers there, or the path or an account cannot be used; the message has the remedy.</exception>
    public Socket Listen()
    {
        var owner = Id(Owner, Accounts.ParseUser, "user", "--control-owner");
        var group = Id(Group, Accounts.ParseGroup, "group", "--control-group");
        try
        {
            using var fd = UnixSocket.Listen(Path, mode: (uint)(Mode & OwnerOnly), backlog: Backlog);
            SetRights(owner, group);
            return new Socket(new SafeSocketHandle(fd.Release(), ownsHandle: true));
        }
        catch (LinuxException e) when (e.Errno == Errno.EADDRINUSE)
        {
            throw new IOException($"The control socket {Path} is in use{Holder()}. Stop that host. {WayOut}", e);
        }
        catch (LinuxException e)
        {
            throw new IOException($"The control socket cannot be made: {e.Message}. {WayOut}", e);
        }
    }

    private void SetRights(uint? owner, uint? group)
    {
        try
        {
            var made = FileRights.Of(Path);
            new FileRights((uint)Mode, owner ?? made.Owner, group ?? made.Group).Apply(Path);
        }
        catch
        {
            UnixSocket.Unlink(Path);
            throw;
        }
    }

    private static uint? Id(string? text, Func<string, uint?> find, string what, string option)
    {
        if (text is null) return null;
        return find(text) ?? throw new IOException($"The control socket cannot be made: this machine has no {what} \"{text}\". Name another one with {option}, or in the topology's \"control\".");
    }

    // The kernel remembers who called listen.
    private string Holder()
    {
        if (UnixSocket.TryConnect(Path, UnixSocketType.Stream, out var fd).Failed) return "";
        using (fd) return UnixSocket.GetPeer(fd!.Raw, out var peer).Ok ? $" by process {peer.ProcessId}" : "";
    }
}
