namespace NicHost.Virtio.VhostUser;

/// <summary>Where front-ends come from: they connect to us, or we to them. First loop only.</summary>
internal interface IConnectionSource : IDisposable
{
    /// <summary>Starts to look for front-ends.</summary>
    /// <exception cref="IOException">The socket cannot be made; the message names the path and the remedy.</exception>
    void Start();

    /// <summary>Gives the socket file other rights, where it is ours.</summary>
    /// <exception cref="IOException">The host refuses; the message says what and the remedy. The rights are as before.</exception>
    void SetRights(SocketRights rights);

    /// <summary>The front-end is gone, or was sent away: the next may come.</summary>
    void Next();
}
