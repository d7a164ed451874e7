namespace NicHost.Probe.Stack;

/// <summary>The bytes that a connection sends, as places in guest memory. What has been handed out stays in place until it is released.</summary>
public unsafe interface ITcpSource
{
    /// <summary>Bytes written so far, counted from the beginning of the stream.</summary>
    long End { get; }

    /// <summary>Whether nothing follows after <see cref="End"/>: a FIN is sent then.</summary>
    bool Finished { get; }

    /// <summary>A place in guest memory that holds the stream from <paramref name="offset"/> on.</summary>
    /// <param name="offset">Below <see cref="End"/>, not below what was released.</param>
    /// <param name="most">Bytes wanted.</param>
    /// <param name="length">Bytes there, at least 1, at most <paramref name="most"/>.</param>
    byte* At(long offset, int most, out int length);

    /// <summary>The peer has acknowledged everything below <paramref name="offset"/>.</summary>
    void Release(long offset);
}
