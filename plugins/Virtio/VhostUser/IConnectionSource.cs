namespace NicHost.Virtio.VhostUser;

/// <summary>Where front-ends come from: they connect to us, or we to them. First loop only.</summary>
internal interface IConnectionSource : IDisposable
{
    /// <summary>Starts to look for front-ends.</summary>
    /// <exception cref="IOException">The socket cannot be made; the message names the path and the remedy.</exception>
    void Start();

    /// <summary>The front-end is gone: the next may come.</summary>
    void Next();
}
