using NicHost.Consomme;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.NetVsp;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;
using NicHost.Probe.Stack;
using NicHost.Testing;
using NicHost.Virtio;

namespace NicHost.Probe.Tests.EndToEnd;

/// <summary>What the guest sees.</summary>
public enum Card
{
    Virtio,
    NetVsp,
}

/// <summary>A NIC on Consomme in this process, behind a real socket.</summary>
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

    public static async Task<NicFixture> StartAsync(int mtu = 1500, string endpoint = """{ "kind": "consomme", "hostLoopback": true }""", int queues = 1, Card card = Card.Virtio)
    {
        IDeviceFactory factory = card == Card.Virtio ? new VirtioFactory() : new NetVspFactory();
        var socket = Path.Combine(Path.GetTempPath(), $"nichost-nic-{Guid.NewGuid():N}.sock");
        var nic = await TestNic.StartAsync(
            loop => new ConsommeFactory().Create(TestNic.EndpointContext(loop, endpoint, mtu, Mac)),
            loop => factory.Create(TestNic.DeviceContext(loop, $$"""{ "kind": "any", "socket": "{{socket}}", "queues": {{queues}} }""", mtu, Mac)),
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

    /// <summary>A guest with a lease and either card; without super-frames each frame is one of the wire.</summary>
    public IGuest Attach(Card card, bool superFrames)
    {
        if (card == Card.Virtio) return Attach(superFrames ? VirtioFeatures.Default : VirtioFeatures.Default & ~VirtioFeatures.Gso);
        var guest = NetvscGuest.Start(new NetvscOptions
        {
            Socket = Socket,
            Mac = Address,
            Mtu = Mtu,
            Offloads = OffloadSet.Checksum | (superFrames ? OffloadSet.TsoV4 | OffloadSet.TsoV6 : 0),
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
