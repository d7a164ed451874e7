using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Devices;

/// <summary>What a device is made from.</summary>
public sealed record DeviceContext
{
    /// <summary>Whose NIC it is.</summary>
    public required NicIdentity Nic { get; init; }

    /// <summary>The guest's address on this NIC.</summary>
    public required MacAddress Mac { get; init; }

    /// <summary>The MTU in bytes: the largest IP packet, without the Ethernet header.</summary>
    public required int Mtu { get; init; }

    /// <summary>The <c>device</c> object of the topology, <c>kind</c> included; checked before by the factory's options model.</summary>
    public required JsonElement Options { get; init; }

    /// <summary>Folder of the topology file: relative paths in options are relative to it.</summary>
    public required string BaseDirectory { get; init; }

    /// <summary>The NIC's first loop.</summary>
    public required IEventLoop Loop { get; init; }

    /// <summary>Where logs go. Categories are made by name.</summary>
    public required ILoggerFactory Logging { get; init; }

    /// <summary>
    /// Where the plugin's own meters are made (the host exports them with the NIC's name as tag <c>nic</c> and disposes them with the
    /// NIC); null on a host older than 1.1.
    /// </summary>
    public IMeterFactory? Meters { get; init; }

    /// <summary>Objects that the NICs of one VM share.</summary>
    public required IVmScope Vm { get; init; }
}

/// <summary>Objects that the devices of one VM share, for example a bus that several NICs sit on.</summary>
public interface IVmScope
{
    /// <summary>
    /// Returns the object called <paramref name="key"/>, made by the first who asks. The lease counts: when the last one is disposed,
    /// so is the object. Any thread; <paramref name="create"/> runs at most once at a time.
    /// </summary>
    SharedLease<T> Share<T>(string key, Func<T> create) where T : class, IAsyncDisposable;
}

/// <summary>A counted hold on a shared object.</summary>
/// <typeparam name="T">Type of the object.</typeparam>
public sealed class SharedLease<T>(T value, Func<ValueTask> release) : IAsyncDisposable where T : class
{
    private Func<ValueTask>? _release = release;

    /// <summary>The object.</summary>
    public T Value { get; } = value;

    /// <summary>Gives the hold back. A second call does nothing.</summary>
    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _release, null)?.Invoke() ?? ValueTask.CompletedTask;
}
