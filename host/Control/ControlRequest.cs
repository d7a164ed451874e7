using System.Runtime.InteropServices;

namespace NicHost.Host.Control;

/// <summary>What a client asks: words, and descriptors that it passes along.</summary>
/// <param name="Words">The request's words.</param>
/// <param name="TakeDescriptors">Hands the descriptors out, the caller's from then on; those not taken are closed after the answer.</param>
internal sealed record ControlRequest(string[] Words, Func<IReadOnlyList<SafeHandle>> TakeDescriptors)
{
    /// <summary>A request without descriptors.</summary>
    public ControlRequest(params string[] words)
        : this(words, () => [])
    {
    }
}
