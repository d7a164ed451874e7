using System.Runtime.InteropServices;
using System.Threading.Channels;

namespace NicHost.Host.Commands;

/// <summary>SIGHUP asks for the topology to be read again. Several that come while one is served are one.</summary>
internal sealed class ReloadSignal : IDisposable
{
    private readonly Channel<bool> _asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly PosixSignalRegistration _registration;

    public ReloadSignal() => _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
    {
        context.Cancel = true;
        _asked.Writer.TryWrite(true);
    });

    /// <summary>Serves until this object is disposed; what was asked for before comes first.</summary>
    public async Task ServeAsync(Func<Task> reload)
    {
        await foreach (var _ in _asked.Reader.ReadAllAsync()) await reload();
    }

    public void Dispose()
    {
        _registration.Dispose();
        _asked.Writer.TryComplete();
    }
}
