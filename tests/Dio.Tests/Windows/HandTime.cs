namespace NicHost.Dio.Tests.Windows;

/// <summary>A clock that a test sets.</summary>
internal sealed class HandTime : TimeProvider
{
    private long _milliseconds;

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => Volatile.Read(ref _milliseconds);

    public void Advance(int milliseconds) => Interlocked.Add(ref _milliseconds, milliseconds);
}
