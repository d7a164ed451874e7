using System.Runtime.InteropServices;

namespace NicHost.Contracts.Endpoints;

/// <summary>
/// Implemented by an endpoint that works on what the management stack has opened for it, such as a TAP: whoever may command the host passes the
/// descriptors with <c>nichost pass</c>, at any time while the NIC runs. Since 1.1.
/// </summary>
public interface IDescriptorTaker
{
    /// <summary>Takes descriptors over. On the NIC's first loop, after <see cref="IEndpoint.Start"/>.</summary>
    /// <param name="descriptors">Open file descriptors, one or more. The endpoint's from now on: it disposes them, also those that it refuses.</param>
    /// <returns>What they are, for people: one line.</returns>
    /// <exception cref="IOException">They are not what they have to be; the message has the remedy. What the endpoint had before it keeps.</exception>
    string Take(IReadOnlyList<SafeHandle> descriptors);
}
