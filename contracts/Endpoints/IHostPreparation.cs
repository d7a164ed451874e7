namespace NicHost.Contracts.Endpoints;

/// <summary>
/// Implemented by an endpoint factory whose endpoints use things of the host that take privileges to make: an administrator makes them once,
/// with <c>nichost KIND prepare</c>, and the host then runs without. Since 1.1.
/// </summary>
/// <remarks>It is the plugin's, for only the plugin reads its options: what it prepares is what its endpoint will look for.</remarks>
public interface IHostPreparation
{
    /// <summary>Makes what an endpoint of this context will find. What is there already is left as it is.</summary>
    /// <param name="context">As <see cref="IEndpointFactory.Create"/> would get it; its loop is not used.</param>
    /// <param name="user">The id of the user that the host will run as.</param>
    /// <returns>A line for each thing, made or found.</returns>
    /// <exception cref="IOException">Something cannot be made; what this call made before is undone.</exception>
    IReadOnlyList<string> Prepare(EndpointContext context, uint user);

    /// <summary>Takes back what <see cref="Prepare"/> made for this NIC, if it is still that.</summary>
    /// <returns>A line for each thing.</returns>
    /// <exception cref="IOException">Something cannot be taken back.</exception>
    IReadOnlyList<string> Undo(EndpointContext context);
}
