using NicHost.Dio.Tests.Rig;

namespace NicHost.Dio.Tests.Tap;

/// <summary>What root does once, so that the host needs no privilege.</summary>
public sealed class PreparationTests
{
    private const uint Nobody = 65534;
    private const string Options = """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0"}}""";

    [NamespaceFact]
    public void What_was_prepared_serves_a_host_without_privilege_and_is_taken_back_whole() => NetWorld.Run("", () =>
    {
        OwnState.OpenToAll();
        var before = NetWorld.Shell("ip -o link");
        using (var bench = new Bench(Options, mtu: 9000))
        {
            Assert.Equal(["made bridge br0", "made TAP web0", "made port web0 of br0"], new DioFactory().Prepare(bench.Context, Nobody));
            Assert.Equal(["web0 is there: nothing to do"], new DioFactory().Prepare(bench.Context, Nobody));
        }
        NetWorld.As(Nobody, () =>
        {
            using var bench = Bench.Started(Options, mtu: 9000);
            Assert.True(bench.Endpoint.Link.IsUp);
            Assert.Equal(8, bench.Endpoint.Capabilities.MaxQueues);
            bench.End();
        });
        // A root host that comes and goes takes nothing of it along.
        using (Bench.Started(Options, mtu: 9000)) { }
        NetWorld.Shell("ip link show web0; ip link show br0");
        using (var bench = new Bench(Options, mtu: 9000))
        {
            Assert.Equal(3, new DioFactory().Undo(bench.Context).Count);
            Assert.Equal(["nothing was prepared for it here"], new DioFactory().Undo(bench.Context));
        }
        Assert.Equal(before, NetWorld.Shell("ip -o link"));
    });

    [NamespaceFact]
    public void What_was_there_is_used_and_stays() => NetWorld.Run("ip link add br0 type bridge; ip link set br0 up", () =>
    {
        using var bench = new Bench(Options);
        Assert.Equal(["made TAP web0", "made port web0 of br0"], new DioFactory().Prepare(bench.Context, 0));
        new DioFactory().Undo(bench.Context);
        NetWorld.Shell("ip link show br0");
        Assert.DoesNotContain("web0", NetWorld.Shell("ip -o link"), StringComparison.Ordinal);
    });

    [NamespaceFact]
    public void Without_privilege_nothing_is_prepared_and_nothing_half_made_stays() => NetWorld.Run("", () =>
    {
        OwnState.OpenToAll();
        var before = NetWorld.Shell("ip -o link");
        using var bench = new Bench(Options);
        NetWorld.As(Nobody, () => Assert.Contains("CAP_NET_ADMIN", Assert.ThrowsAny<IOException>(() => new DioFactory().Prepare(bench.Context, Nobody)).Message, StringComparison.Ordinal));
        Assert.Equal(before, NetWorld.Shell("ip -o link"));
    });

    [NamespaceFact]
    public void Failure_half_way_takes_back_what_was_made() => NetWorld.Run("ip link add web0 type bridge", () =>
    {
        using var bench = new Bench(Options);
        Assert.Contains("web0 is there and is no TAP", Assert.ThrowsAny<IOException>(() => new DioFactory().Prepare(bench.Context, 0)).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("br0", NetWorld.Shell("ip -o link"), StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("""{"kind":"dio","nic":{"socket":"/run/x.sock"}}""", "a TAP is passed to it: nothing to prepare")]
    [InlineData("""{"kind":"dio","nic":{"name":"web0","create":true}}""", "it makes web0 itself (\"create\": true): nothing to prepare")]
    public void Endpoint_that_needs_none_is_told(string options, string expected)
    {
        using var bench = new Bench(options);
        Assert.Equal([expected], new DioFactory().Prepare(bench.Context, 0));
    }
}
