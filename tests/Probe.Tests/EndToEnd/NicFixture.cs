using NicHost.Consomme;
using NicHost.Contracts.Nics;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;
using NicHost.Testing;
using NicHost.Virtio;

namespace NicHost.Probe.Tests.EndToEnd;

/// <summary>A Virtio NIC on Consomme in this process, behind a real socket.</summary>
internal sealed class NicFixture : IAsyncDisposable
{
    public const string Mac = "52:54:00:12:34:56";

    private NicFixture(TestNic nic, string socket, int mtu)
    {
        Nic = nic;
        Socket = socket;
        Mtu = mtu;
    }

    public TestNic Nic { get; }

    public string Socket { get; }

    public int Mtu { get; }

    public static MacAddress Address => MacAddress.TryParse(Mac, out var mac) ? mac : throw new InvalidOperationException();

    public static async Task<NicFixture> StartAsync(int mtu = 1500, string endpoint = """{ "kind": "consomme", "hostLoopback": true }""", int queues = 1)
    {
        var socket = Path.Combine(Path.GetTempPath(), $"nichost-nic-{Guid.NewGuid():N}.sock");
        var nic = await TestNic.StartAsync(
            loop => new ConsommeFactory().Create(TestNic.EndpointContext(loop, endpoint, mtu, Mac)),
            loop => new VirtioFactory().Create(TestNic.DeviceContext(loop, $$"""{ "kind": "virtio", "socket": "{{socket}}", "queues": {{queues}} }""", mtu, Mac)),
            queues,
            mtu);
        return new NicFixture(nic, socket, mtu);
    }

    /// <summary>A guest with a lease.</summary>
    public ProbeGuest Attach(VirtioFeatures features = VirtioFeatures.Default, int? bufferSize = null, int queuePairs = 1)
    {
        var guest = ProbeGuest.Start(new GuestOptions
        {
            Frontend = new FrontendOptions { Socket = Socket, Features = features, QueuePairs = queuePairs },
            Mac = Address,
            Mtu = Mtu,
            BufferSize = bufferSize,
        });
        using var dhcp = new Dhcp4Client(guest.Stack);
        Assert.True(guest.RunUntil(dhcp.Step, TimeSpan.FromSeconds(5)), "No lease.");
        return guest;
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(Nic.GuestFaults);
        await Nic.DisposeAsync();
    }
}
