using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Rig;

/// <summary>An endpoint with a fake device on a loop that is turned by hand.</summary>
internal sealed class Bench : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly List<FakeDeviceQueue> _devices = [];
    private bool _ended;

    public static MacAddress GuestMac { get; } = new([0x52, 0x54, 0, 0x12, 0x34, 0x56]);

    public Bench(string options, int mtu = 1500, DioFactory? factory = null, TimeProvider? time = null)
    {
        Loop = new EventLoop("bench", time);
        Context = new EndpointContext
        {
            Nic = new NicIdentity("vm", "nic"),
            Mac = GuestMac,
            Mtu = mtu,
            Options = JsonDocument.Parse(options).RootElement,
            BaseDirectory = Path.GetTempPath(),
            Loop = Loop,
            Logging = NullLoggerFactory.Instance,
        };
        Endpoint = (factory ?? new DioFactory()).Create(Context);
    }

    public EventLoop Loop { get; }

    public EndpointContext Context { get; }

    public IEndpoint Endpoint { get; }

    public FakeEndpointHost Host { get; } = new();

    public QueueCounters Counters { get; } = new();

    /// <summary>A bench whose endpoint runs.</summary>
    public static Bench Started(string options, int mtu = 1500, DioFactory? factory = null, TimeProvider? time = null)
    {
        var bench = new Bench(options, mtu, factory, time);
        try { bench.Start(); }
        catch
        {
            bench.Dispose();
            throw;
        }
        return bench;
    }

    /// <summary>Why an endpoint of these options does not start.</summary>
    public static string Refusal(string options, int mtu = 1500, DioFactory? factory = null)
    {
        using var bench = new Bench(options, mtu, factory);
        return Assert.ThrowsAny<IOException>(bench.Start).Message;
    }

    public void Start()
    {
        Loop.RunOnce();
        Endpoint.Start(Host);
    }

    public (IEndpointQueue Queue, FakeDeviceQueue Device) Open(OffloadSet? accepted = null, int index = 0, int buffers = 256, int bufferSize = 1536)
    {
        var takes = accepted ?? Endpoint.Capabilities.RxGives;
        var device = new FakeDeviceQueue(buffers, bufferSize, takes);
        _devices.Add(device);
        var queue = Endpoint.OpenQueue(new EndpointQueueConfig
        {
            Index = index,
            Loop = Loop,
            Device = device,
            AcceptedRx = takes,
            MaxRxFrame = (takes & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : Context.Mtu + FrameLimits.EthernetHeader,
            Counters = Counters,
        });
        return (queue, device);
    }

    /// <summary>Turns the loop until something holds.</summary>
    public void Until(Func<bool> condition, string what)
    {
        var end = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            Loop.RunOnce();
            Assert.True(TimeProvider.System.GetElapsedTime(end) < Patience, $"In time: {what}. Troubles: {string.Join(" / ", Host.Troubles)}");
        }
    }

    public InspectNode Inspect()
    {
        var writer = new InspectWriter("endpoint");
        Endpoint.Inspect(writer);
        return writer.Root;
    }

    /// <summary>Ends the endpoint on this thread.</summary>
    public void End()
    {
        if (_ended) return;
        _ended = true;
        var end = Endpoint.DisposeAsync().AsTask();
        Loop.RunOnce();
        end.Wait(Patience);
    }

    public void Dispose()
    {
        End();
        Loop.Dispose();
        foreach (var device in _devices) device.Dispose();
    }
}
