using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Loops;

namespace NicHost.Testing;

/// <summary>A device wired to an endpoint on one loop with a thread of its own: what a host does, without topology and plugins.</summary>
public sealed class TestNic : INicBackend, IEndpointHost, IAsyncDisposable
{
    private readonly EventLoop _loop = new("test-nic");
    private readonly QueueCounters[] _counters;
    private readonly IEndpoint _endpoint;
    private readonly IDevice _device;
    private readonly List<string> _faults = [];
    private readonly int _mtu;

    private TestNic(Func<IEventLoop, IEndpoint> endpoint, Func<IEventLoop, IDevice> device, int queues, int mtu)
    {
        _mtu = mtu;
        _counters = [.. Enumerable.Range(0, queues).Select(_ => new QueueCounters())];
        _endpoint = endpoint(_loop);
        _device = device(_loop);
    }

    public EndpointCapabilities Endpoint => _endpoint.Capabilities;

    public int MaxQueues => Math.Min(_counters.Length, _endpoint.Capabilities.MaxQueues);

    public LinkState Link { get; private set; } = LinkState.Up10G;

    /// <summary>Mistakes of the guest that the device reported.</summary>
    public IReadOnlyList<string> GuestFaults
    {
        get { lock (_faults) return [.. _faults]; }
    }

    /// <summary>Who is attached.</summary>
    public string? Peer { get; private set; }

    /// <summary>Makes both sides and starts them.</summary>
    public static async Task<TestNic> StartAsync(Func<IEventLoop, IEndpoint> endpoint, Func<IEventLoop, IDevice> device, int queues = 1, int mtu = 1500)
    {
        var nic = new TestNic(endpoint, device, queues, mtu);
        nic._loop.Start();
        await nic._loop.InvokeAsync(() =>
        {
            nic._endpoint.Start(nic);
            nic._device.Start(nic);
        });
        return nic;
    }

    public IEventLoop Loop(int index) => _loop;

    public QueueCounters Counters(int index) => _counters[index];

    public IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx) => _endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = index,
        Loop = _loop,
        Device = queue,
        AcceptedRx = acceptedRx & _endpoint.Capabilities.RxGives,
        MaxRxFrame = (acceptedRx & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : _mtu + FrameLimits.EthernetHeader,
        Counters = _counters[index],
    });

    public void ReportAttachment(string? peer) => Peer = peer;

    public void ReportGuestFault(string reason)
    {
        lock (_faults) _faults.Add(reason);
    }

    public void LinkChanged() => _loop.Post(() => SetLink(_endpoint.Link));

    public void ReportTrouble(string reason) => ReportGuestFault($"(host) {reason}");

    /// <summary>Shows the guest another link state.</summary>
    public Task SetLinkAsync(LinkState link) => _loop.InvokeAsync(() => SetLink(link));

    /// <summary>Gives the device other options.</summary>
    public Task ReconfigureDeviceAsync(DeviceContext wanted) => _loop.InvokeAsync(() => _device.Reconfigure(wanted));

    /// <summary>The device's inspect tree.</summary>
    public Task<InspectNode> InspectDeviceAsync() => _loop.InvokeAsync(() =>
    {
        var writer = new InspectWriter("device");
        _device.Inspect(writer);
        return writer.Root;
    });

    public async ValueTask DisposeAsync()
    {
        await _device.DisposeAsync();
        await _endpoint.DisposeAsync();
        _loop.Dispose();
    }

    /// <summary>A context for a device's factory.</summary>
    public static DeviceContext DeviceContext(IEventLoop loop, string options, int mtu = 1500, string mac = "52:54:00:12:34:56") => new()
    {
        Nic = new NicIdentity("vm", "nic"),
        Mac = MacAddress.TryParse(mac, out var parsed) ? parsed : throw new ArgumentException(mac, nameof(mac)),
        Mtu = mtu,
        Options = System.Text.Json.JsonDocument.Parse(options).RootElement,
        BaseDirectory = Path.GetTempPath(),
        Loop = loop,
        Logging = NullLoggerFactory.Instance,
        Vm = new TestVmScope(),
    };

    /// <summary>A context for an endpoint's factory.</summary>
    public static EndpointContext EndpointContext(IEventLoop loop, string options, int mtu = 1500, string mac = "52:54:00:12:34:56") => new()
    {
        Nic = new NicIdentity("vm", "nic"),
        Mac = MacAddress.TryParse(mac, out var parsed) ? parsed : throw new ArgumentException(mac, nameof(mac)),
        Mtu = mtu,
        Options = System.Text.Json.JsonDocument.Parse(options).RootElement,
        BaseDirectory = Path.GetTempPath(),
        Loop = loop,
        Logging = NullLoggerFactory.Instance,
    };

    private void SetLink(LinkState link)
    {
        Link = link;
        _device.SetLink(link);
    }
}

/// <summary>A VM scope without sharing rules: made objects live until their lease ends.</summary>
internal sealed class TestVmScope : IVmScope
{
    public SharedLease<T> Share<T>(string key, Func<T> create) where T : class, IAsyncDisposable
    {
        var made = create();
        return new SharedLease<T>(made, made.DisposeAsync);
    }
}
