namespace NicHost.Probe.Stack;

/// <summary>Keeps what comes.</summary>
public sealed class BufferSink(int capacity = 65536) : ITcpSink
{
    private readonly byte[] _bytes = new byte[capacity];
    private int _count;

    /// <inheritdoc/>
    public int Room => _bytes.Length - _count;

    /// <summary>What has come and was not yet consumed.</summary>
    public ReadOnlySpan<byte> Content => _bytes.AsSpan(0, _count);

    /// <summary>Throws away the first bytes.</summary>
    public void Consume(int count)
    {
        _bytes.AsSpan(count, _count - count).CopyTo(_bytes);
        _count -= count;
    }

    /// <inheritdoc/>
    public void Take(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_bytes.AsSpan(_count));
        _count += bytes.Length;
    }
}
