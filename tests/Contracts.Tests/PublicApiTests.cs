using NicHost.Contracts.Devices;
using PublicApiGenerator;
using VerifyXunit;

namespace NicHost.Contracts.Tests;

public sealed class PublicApiTests
{
    /// <summary>Every change of what plugin authors see is a diff that a reviewer reads.</summary>
    [Fact]
    public Task Contracts_public_surface_is_as_agreed() => Verifier.Verify(typeof(IDevice).Assembly.GeneratePublicApi(new ApiGeneratorOptions
    {
        IncludeAssemblyAttributes = false,
        DenyNamespacePrefixes = [],
    }));
}
