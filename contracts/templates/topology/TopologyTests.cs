namespace TopologyTests1;

/// <summary>What runs is what was accepted: see TopologyTests.*.verified.txt.</summary>
public sealed class TopologyTests
{
    [Fact]
    public Task Production() => TopologySnapshot.Verify("topology.json");
}
