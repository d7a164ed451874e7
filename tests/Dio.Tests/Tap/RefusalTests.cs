using NicHost.Dio.Tests.Rig;

namespace NicHost.Dio.Tests.Tap;

/// <summary>What does not work, each with its own message, and nothing half-made afterwards.</summary>
public sealed class RefusalTests
{
    private const uint Nobody = 65534;
    private const string Attach = """{"kind":"dio","nic":{"name":"web0"}}""";
    private const string AttachTo = """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0"}}""";
    private const string Make = """{"kind":"dio","switch":{"name":"br0","create":true},"nic":{"name":"web0","create":true}}""";
    private const string TapOfNobody = "ip tuntap add web0 mode tap multi_queue user 65534; ip link set web0 up";

    [NamespaceTheory]
    [InlineData("", AttachTo, "There is no switch br0.")]
    [InlineData("", Attach, "There is no TAP web0.")]
    [InlineData("ip link add web0 type bridge", Attach, "web0 is no TAP but of kind bridge.")]
    [InlineData("ip tuntap add web0 mode tun", Attach, "web0 is no TAP but of kind TUN.")]
    [InlineData("ip tuntap add br0 mode tap; ip tuntap add web0 mode tap", AttachTo, "br0 is no bridge but of kind tun.")]
    [InlineData("ip tuntap add web0 mode tap", Make, "there is an interface of that name.")]
    [InlineData("ip link add br0 type bridge; ip tuntap add web0 mode tap", AttachTo, "web0 is not a port of br0.")]
    [InlineData("ip link add br0 type bridge; ip link add br1 type bridge; ip tuntap add web0 mode tap; ip link set web0 master br1", AttachTo, "web0 is a port of br1 already.")]
    [InlineData("ip tuntap add web0 mode tap; ip link set web0 address 52:54:00:12:34:56", Attach, "has the guest's own address 52:54:00:12:34:56")]
    public void Refused_with_a_message_of_its_own(string world, string options, string message) => NetWorld.Run(world, () =>
    {
        var before = NetWorld.Shell("ip -o link");
        Assert.Contains(message, Bench.Refusal(options), StringComparison.Ordinal);
        Assert.Equal(before, NetWorld.Shell("ip -o link"));
        Assert.Empty(OwnState.Records);
    });

    [NamespaceTheory]
    [InlineData("ip tuntap add web0 mode tap", Attach, "TAP web0 carries 1500.")]
    [InlineData("ip link add br0 type bridge; ip link add p0 type veth peer name p1; ip link set p0 master br0", Make, "br0 carries 1500, the least of its ports (p0 1500).")]
    [InlineData("ip link add br0 type bridge; ip link add p0 mtu 9000 type veth peer name p1; ip link set p0 master br0; ip link add p2 type veth peer name p3; ip link set p2 master br0", Make, "raise theirs: sudo ip link set p2 mtu 9000")]
    public void Mtu_beyond_what_is_carried_is_refused(string world, string options, string message) =>
        NetWorld.Run(world, () => Assert.Contains(message, Bench.Refusal(options, mtu: 9000), StringComparison.Ordinal));

    [NamespaceTheory]
    [InlineData("", Make, "Our user may not make bridge br0: that takes CAP_NET_ADMIN.")]
    [InlineData("ip link add br0 type bridge", Make, "Our user may not make TAP web0: that takes CAP_NET_ADMIN.")]
    [InlineData("ip tuntap add web0 mode tap user 1", Attach, "TAP web0 belongs to user 1, not to our user 65534.")]
    [InlineData("ip tuntap add web0 mode tap group 5", Attach, "TAP web0 belongs to group 5, not to our user 65534.")]
    [InlineData("ip link add br0 type bridge; " + TapOfNobody, """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0"},"port":{"create":true}}""", "Our user may not make web0 a port of br0")]
    public void Without_privilege_what_takes_it_is_refused(string world, string options, string message) => NetWorld.Run(world, () =>
    {
        OwnState.OpenToAll();
        var before = NetWorld.Shell("ip -o link");
        var refusal = "";
        NetWorld.As(Nobody, () => refusal = Bench.Refusal(options));
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.Equal(before, NetWorld.Shell("ip -o link"));
        Assert.Empty(OwnState.Records);
    });

    [NamespaceFact]
    public void Without_privilege_a_prepared_tap_works() => NetWorld.Run("ip link add br0 type bridge; ip link set br0 up; " + TapOfNobody + "; ip link set web0 master br0", () => NetWorld.As(Nobody, () =>
    {
        using var bench = Bench.Started(AttachTo);
        var (_, device) = bench.Open();
        Assert.True(bench.Endpoint.Link.IsUp);
        // The kernel's own multicast on the bridge reaches the guest.
        bench.Until(() => device.Received.Count > 0, "a frame of the bridge");
        bench.End();
    }));

    [NamespaceTheory]
    [InlineData("multi_queue")]
    [InlineData("")]
    public void Tap_that_is_taken_is_refused_and_free_again_afterwards(string kind) => NetWorld.Run($"ip tuntap add web0 mode tap {kind}; ip link set web0 up", () =>
    {
        using (var first = Bench.Started(Attach))
        {
            Assert.Contains("TAP web0 is taken", Bench.Refusal(Attach), StringComparison.Ordinal);
            Assert.True(first.Endpoint.Link.IsUp);
        }
        using var second = Bench.Started(Attach);
        Assert.True(second.Endpoint.Link.IsUp);
    });

    [NamespaceFact]
    public void Vlans_on_a_bridge_that_does_not_tell_them_apart_are_refused() => NetWorld.Run("ip link add br0 type bridge", () => Assert.Contains(
        "br0 does not tell VLANs apart.",
        Bench.Refusal("""{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0","create":true},"port":{"vlan":5}}"""), StringComparison.Ordinal));
}
