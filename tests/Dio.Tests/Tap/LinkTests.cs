using NicHost.Dio.Tests.Rig;

namespace NicHost.Dio.Tests.Tap;

/// <summary>What happens to TAP and switch shows in the link, with a reason, and the reverse.</summary>
public sealed class LinkTests
{
    private const string Attach = """{"kind":"dio","switch":{"name":"br0"},"nic":{"name":"web0"}}""";
    private const string Make = """{"kind":"dio","switch":{"name":"br0","create":true},"nic":{"name":"web0","create":true}}""";
    private const string World = "ip link add br0 type bridge; ip link set br0 up; " + MakeTap;
    private const string MakeTap = "ip tuntap add web0 mode tap multi_queue; ip link set web0 master br0; ip link set web0 up";

    [NamespaceTheory]
    [InlineData("ip link set web0 down", "ip link set web0 up", "TAP web0 is switched off")]
    [InlineData("ip link set br0 down", "ip link set br0 up", "switch br0 is switched off")]
    [InlineData("ip link set web0 nomaster", "ip link set web0 master br0", "web0 is not a port of br0")]
    [InlineData("ip link del br0", "ip link add br0 type bridge; ip link set br0 up; ip link set web0 master br0", "switch br0 is gone")]
    [InlineData("ip link set web0 mtu 1400", "ip link set web0 mtu 1500", "carries an MTU of 1400 now")]
    [InlineData("ip link del web0", MakeTap, "TAP web0 is gone")]
    [InlineData("ip link del web0; ip tuntap add web0 mode tap; ip link set web0 up", "ip link set web0 master br0", "web0 is not a port of br0")]
    public void Link_goes_down_with_a_reason_and_comes_back(string change, string back, string reason) => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Attach);
        var (queue, device) = bench.Open();
        Assert.True(bench.Endpoint.Link.IsUp);

        NetWorld.Shell(change);
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link goes down");
        Assert.Contains(bench.Host.Troubles, trouble => trouble.Contains(reason, StringComparison.Ordinal));
        Assert.Contains(bench.Inspect().Children, child => child.Name == "linkDownBecause");
        var down = bench.Host.LinkChanges;

        NetWorld.Shell(back);
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
        Assert.True(bench.Host.LinkChanges > down);
        AssertCarries(bench, queue, device);
    });

    [NamespaceFact]
    public void Bridge_of_ours_that_returns_gets_its_port_back() => NetWorld.Run("", () =>
    {
        using var bench = Bench.Started(Make);
        var (queue, device) = bench.Open();
        NetWorld.Shell("ip link del br0");
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link goes down");
        NetWorld.Shell("ip link add br0 type bridge; ip link set br0 up");
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
        AssertCarries(bench, queue, device);
        bench.End();
        // This one is somebody else's.
        NetWorld.Shell("ip link show br0");
    });

    [NamespaceFact]
    public void Carrier_of_the_tap_follows_the_guest() => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Attach);
        Assert.Contains("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        var (queue, _) = bench.Open();
        Assert.DoesNotContain("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        queue.Close();
        Assert.Contains("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
    });

    [NamespaceFact]
    public void Carrier_of_the_tap_follows_the_cable() => NetWorld.Run(World, () =>
    {
        using var bench = Bench.Started(Attach);
        bench.Endpoint.ShowLink(isUp: false);
        var (queue, device) = bench.Open();
        Assert.Contains("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        bench.Endpoint.ShowLink(isUp: true);
        Assert.DoesNotContain("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        bench.Endpoint.ShowLink(isUp: false);
        Assert.Contains("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        // A TAP that comes in the place of one that was deleted has none either.
        NetWorld.Shell("ip link del web0");
        bench.Until(() => !bench.Endpoint.Link.IsUp, "the link goes down");
        NetWorld.Shell(MakeTap);
        bench.Until(() => bench.Endpoint.Link.IsUp, "the link comes up");
        bench.Loop.RunOnce();
        Assert.Contains("NO-CARRIER", NetWorld.Shell("ip link show web0"), StringComparison.Ordinal);
        bench.Endpoint.ShowLink(isUp: true);
        AssertCarries(bench, queue, device);
    });

    [NamespaceFact]
    public void Tap_that_is_made_has_the_mtu_and_an_address_beside_the_guests() => NetWorld.Run("", () =>
    {
        using var bench = Bench.Started(Make, mtu: 9000);
        var link = NetWorld.Shell("ip link show web0");
        Assert.Contains("mtu 9000", link, StringComparison.Ordinal);
        Assert.Contains("fe:54:00:12:34:56", link, StringComparison.Ordinal);
        Assert.Contains("mtu 9000", NetWorld.Shell("ip link show br0"), StringComparison.Ordinal);
    });

    private static void AssertCarries(Bench bench, Contracts.Endpoints.IEndpointQueue queue, NicHost.Testing.FakeDeviceQueue device)
    {
        using var batch = new NicHost.Testing.TxBuilder();
        using var peer = new PacketSocket("br0");
        var frame = NicHost.Testing.TestFrames.Plain(200, 5);
        frame.AsSpan(0, 6).Fill(0xff);
        bench.Until(() =>
        {
            batch.Add(frame).TransmitTo(queue);
            return peer.TryReceive(f => f.AsSpan().SequenceEqual(frame)) is not null;
        }, "a frame to the bridge");
        frame[11] = 9;
        device.Received.Clear();
        bench.Until(() =>
        {
            peer.Send(frame);
            return device.Received.Any(r => r.Bytes.AsSpan().SequenceEqual(frame));
        }, "a frame to the guest");
    }
}
