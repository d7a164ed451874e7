using System.Text;

namespace NicHost.Host.Control;

/// <summary>Writes to one client; a client that takes nothing for a while is given up.</summary>
/// <param name="stream">The connection.</param>
/// <param name="patience">How long one piece may take.</param>
/// <param name="stopping">Ends writing at once.</param>
internal sealed class ControlWriter(Stream stream, TimeSpan patience, CancellationToken stopping)
{
    public CancellationToken Stopping => stopping;

    public ValueTask WriteAsync(string text) => WriteAsync(Encoding.UTF8.GetBytes(text));

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(patience);
        await stream.WriteAsync(bytes, limit.Token);
    }
}
