namespace NicHost.Testing.Snapshots;

/// <summary>A topology is not what was accepted, has faults, or could not be resolved; the message says which, and what to do.</summary>
public sealed class SnapshotException : Exception
{
    internal SnapshotException(string message)
        : base(message) { }
}
