using NicHost.Probe.Checks;
using Xunit.Abstractions;

namespace NicHost.Probe.Tests.EndToEnd;

public sealed class ChecklistTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(Card.Virtio, 1500)]
    [InlineData(Card.Virtio, 9000)]
    [InlineData(Card.Virtio, 65520)]
    [InlineData(Card.NetVsp, 1500)]
    [InlineData(Card.NetVsp, 9000)]
    [InlineData(Card.NetVsp, 65520)]
    public async Task Checklist_passes_on_either_card_and_consomme(Card card, int mtu)
    {
        await using var nic = await NicFixture.StartAsync(mtu, """{ "kind": "consomme", "hostLoopback": true, "dns": { "records": [{ "name": "probe.test", "value": "192.0.2.7" }] } }""", card: card);
        using var text = new StringWriter();
        var target = new ProbeTarget
        {
            Name = "vm/nic",
            Socket = nic.Socket,
            IsVmbus = card == Card.NetVsp,
            Mac = NicFixture.Address,
            Mtu = mtu,
            HostLoopback = true,
            DnsName = "probe.test",
            Timeout = TimeSpan.FromSeconds(5),
        };
        var code = await ProbeCommand.RunAsync(target, text, CancellationToken.None);
        output.WriteLine(text.ToString());
        Assert.True(code == 0, text.ToString());
    }
}
