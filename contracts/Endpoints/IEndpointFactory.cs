using System.Composition;
using NicHost.Contracts.Options;

namespace NicHost.Contracts.Endpoints;

/// <summary>Makes endpoints of one kind. Stateless: the host may make and drop factories as it likes.</summary>
public interface IEndpointFactory
{
    /// <summary>The options of the <c>endpoint</c> object.</summary>
    OptionsModel Options { get; }

    /// <summary>Makes an endpoint. It touches nothing outside until <see cref="IEndpoint.Start"/>.</summary>
    /// <exception cref="OptionsException">The options do not hold.</exception>
    IEndpoint Create(EndpointContext context);

    /// <summary>
    /// What a endpoint of these options takes for itself on the host, so that two NICs that want the same are found before either starts.
    /// The options have passed <see cref="OptionsModel.Check"/>; nothing outside is touched.
    /// </summary>
    IReadOnlyList<ResourceClaim> Claims(EndpointContext context) => [];

    /// <summary>
    /// Whether an endpoint made from <paramref name="running"/> can become one of <paramref name="wanted"/> by
    /// <see cref="IEndpoint.Reconfigure"/>, with its queues open and its flows going on. Both contexts have passed
    /// <see cref="OptionsModel.Check"/>; nothing outside is touched. False means that the NIC is given a new endpoint. Since 1.1.
    /// </summary>
    bool CanReconfigure(EndpointContext running, EndpointContext wanted) => false;
}

/// <summary>Exports a class as the factory of an endpoint kind.</summary>
/// <param name="kind">The word that <c>"kind"</c> of a topology's <c>endpoint</c> holds: lower case letters, digits, dashes.</param>
[MetadataAttribute]
[AttributeUsage(AttributeTargets.Class)]
public sealed class EndpointKindAttribute(string kind) : ExportAttribute(typeof(IEndpointFactory))
{
    /// <summary>The kind.</summary>
    public string Kind { get; } = kind;
}
