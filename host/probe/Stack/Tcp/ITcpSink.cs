namespace NicHost.Probe.Stack;

/// <summary>What a connection receives.</summary>
public interface ITcpSink
{
    /// <summary>Bytes that may come: the window.</summary>
    int Room { get; }

    /// <summary>The next bytes of the stream; gone when the method returns.</summary>
    void Take(ReadOnlySpan<byte> bytes);
}
