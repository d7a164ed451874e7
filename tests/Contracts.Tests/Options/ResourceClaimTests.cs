using NicHost.Contracts.Options;

namespace NicHost.Contracts.Tests.Options;

public sealed class ResourceClaimTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-claim-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Claim_of_a_path_is_the_same_for_every_spelling()
    {
        Directory.CreateDirectory($"{_folder}/real/sub");
        Directory.CreateSymbolicLink($"{_folder}/link", "real");
        Directory.CreateSymbolicLink($"{_folder}/real/back", $"{_folder}/link/sub/..");
        var plain = Claim($"{_folder}/real/a.sock");
        Assert.EndsWith("/real/a.sock", plain, StringComparison.Ordinal);
        Assert.StartsWith("socket /", plain, StringComparison.Ordinal);
        Assert.All(["link/a.sock", "./real/sub/../a.sock", "real/back/a.sock", "link/back/back/a.sock"], path => Assert.Equal(plain, Claim(path)));
        Assert.NotEqual(plain, Claim("real/b.sock"));
    }

    [Fact]
    public void Claim_of_a_path_through_a_circle_of_links_stays_as_written()
    {
        Directory.CreateSymbolicLink($"{_folder}/x", "y");
        Directory.CreateSymbolicLink($"{_folder}/y", "x");
        Assert.Equal($"socket {_folder}/x/a.sock", Claim("x/a.sock"));
    }

    [Fact]
    public void Claim_of_a_path_that_is_not_there_stays_as_written() =>
        Assert.Equal($"socket {_folder}/no/where.sock", Claim("no/where.sock"));

    private string Claim(string path) => ResourceClaim.OfPath("socket", path, _folder, "$.socket").Resource;
}
