using NicHost.Contracts.Devices;

namespace NicHost.Host.Machines;

/// <summary>Objects that the NICs of one VM share, counted.</summary>
internal sealed class VmScope : IVmScope, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Shared> _shared = new(StringComparer.Ordinal);

    public SharedLease<T> Share<T>(string key, Func<T> create) where T : class, IAsyncDisposable
    {
        ArgumentNullException.ThrowIfNull(create);
        lock (_gate)
        {
            if (!_shared.TryGetValue(key, out var shared)) _shared[key] = shared = new Shared(create());
            if (shared.Value is not T value)
                throw new InvalidOperationException($"\"{key}\" is a {shared.Value.GetType().Name} here, not a {typeof(T).Name}.");
            shared.Holders++;
            return new SharedLease<T>(value, () => ReleaseAsync(key, shared));
        }
    }

    /// <summary>Disposes what a NIC that could not be stopped still holds.</summary>
    public async ValueTask DisposeAsync()
    {
        Shared[] left;
        lock (_gate)
        {
            left = [.. _shared.Values];
            _shared.Clear();
        }
        foreach (var shared in left) await shared.Value.DisposeAsync();
    }

    private ValueTask ReleaseAsync(string key, Shared shared)
    {
        lock (_gate)
        {
            if (--shared.Holders > 0 || !_shared.TryGetValue(key, out var present) || present != shared) return ValueTask.CompletedTask;
            _shared.Remove(key);
        }
        return shared.Value.DisposeAsync();
    }

    private sealed class Shared(IAsyncDisposable value)
    {
        public IAsyncDisposable Value { get; } = value;
        public int Holders { get; set; }
    }
}
