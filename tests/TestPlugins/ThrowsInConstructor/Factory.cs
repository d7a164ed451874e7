using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace ThrowsInConstructor;

[EndpointKind("never")]
public sealed class Factory : IEndpointFactory
{
    public Factory() => throw new InvalidOperationException("This factory\ncannot be made.");

    public OptionsModel Options => throw new NotSupportedException();

    public IEndpoint Create(EndpointContext context) => throw new NotSupportedException();
}
