using NicHost.Loops;
using NicHost.Packages.Tests.Rig;
using NicHost.Testing.Conformance;
using NicHost.Testing.Snapshots;
using PublicApiGenerator;
using VerifyXunit;

namespace NicHost.Packages.Tests.Packing;

/// <summary>What plugin authors' tests are written against: every change is a diff that a reviewer reads.</summary>
[Collection(FeedCollection.Name)]
public sealed class PublicApiTests(PackageFeed feed)
{
    private static readonly ApiGeneratorOptions Options = new() { IncludeAssemblyAttributes = false, DenyNamespacePrefixes = [] };

    [Fact]
    public Task Testing_public_surface_is_as_agreed() => VerifyPacked(typeof(EndpointConformance), "NicHost.Testing");

    [Fact]
    public Task Snapshots_public_surface_is_as_agreed() => VerifyPacked(typeof(TopologySnapshot), "NicHost.Testing.Snapshots");

    [Fact]
    public Task Loops_public_surface_is_as_agreed() => VerifyPacked(typeof(EventLoop), "NicHost.Loops");

    private async Task VerifyPacked(Type type, string id, [System.Runtime.CompilerServices.CallerMemberName] string method = "")
    {
        using var package = new Nupkg(feed.PathOf(id));
        Assert.Equal(await File.ReadAllBytesAsync(type.Assembly.Location), package.Bytes($"lib/net10.0/{id}.dll"));
        await Verifier.Verify(type.Assembly.GeneratePublicApi(Options), method: method);
    }
}
