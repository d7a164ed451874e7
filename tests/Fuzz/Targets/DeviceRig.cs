using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Fuzz.Engine;
using NicHost.Loops;
using NicHost.Testing;

namespace NicHost.Fuzz.Targets;

/// <summary>A NIC with the loopback endpoint behind it, on a loop that is turned by hand: an exception comes out where it happens.</summary>
internal sealed class DeviceRig : INicBackend, IEndpointHost, IDisposable
{
    private const int Queues = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-fuzz-").FullName;
    private readonly QueueCounters[] _counters = [new(), new()];
    private readonly IEndpoint _endpoint;
    private readonly IDevice _device;
    private LinkState _link = LinkState.Up10G;

    /// <param name="factory">Makes the device.</param>
    /// <param name="options">Members of its options besides kind, socket and number of queues.</param>
    public DeviceRig(IDeviceFactory factory, string options)
    {
        Loop.RunOnce();
        _endpoint = new LoopbackEndpointFactory().Create(TestNic.EndpointContext(Loop, """{"kind":"loopback"}"""));
        _device = factory.Create(new DeviceContext
        {
            Nic = new NicIdentity("fuzz", "eth0"),
            Mac = new MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
            Mtu = 1500,
            Options = JsonDocument.Parse($$"""{"kind":"any","socket":"nic.sock","queues":{{Queues}},{{options}}}""").RootElement,
            BaseDirectory = _folder,
            Loop = Loop,
            Logging = NullLoggerFactory.Instance,
            Vm = new Scope(),
        });
        _endpoint.Start(this);
        _device.Start(this);
    }

    public EventLoop Loop { get; } = new("fuzz");

    public string Socket => Path.Combine(_folder, "nic.sock");

    public string? Peer { get; private set; }

    /// <summary>What the device said the guest did wrong.</summary>
    public List<string> GuestFaults { get; } = [];

    public EndpointCapabilities Endpoint => _endpoint.Capabilities;

    public int MaxQueues => Queues;

    public LinkState Link => _link;

    /// <summary>Called while somebody is in the middle of a frame: the endpoint has frames of the guest, or buffers of it.</summary>
    public Action? InUse { get; set; }

    IEventLoop INicBackend.Loop(int index) => Loop;

    public QueueCounters Counters(int index) => _counters[index];

    public IEndpointQueue OpenQueue(int index, IDeviceQueue queue, OffloadSet acceptedRx) => new Between(this, _endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = index,
        Loop = Loop,
        Device = new Between(this, device: queue),
        AcceptedRx = acceptedRx & _endpoint.Capabilities.RxGives,
        MaxRxFrame = (acceptedRx & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : 1514,
        Counters = _counters[index],
    }));

    /// <summary>Pulls the cable, or plugs it in.</summary>
    public void SetLink(bool up)
    {
        _link = up ? LinkState.Up10G : LinkState.Down;
        _device.SetLink(_link);
    }

    public void ReportAttachment(string? peer) => Peer = peer;

    public void ReportGuestFault(string reason) => GuestFaults.Add(reason);

    public void LinkChanged() { }

    public void ReportTrouble(string reason) => throw new InvariantException($"The endpoint reports trouble: {reason}");

    /// <summary>Everything that waits is done; a loop that does not come to rest is a hang.</summary>
    public void Turn()
    {
        if (!Loop.RunUntilIdle(2000)) throw new InvariantException("The loop does not come to rest.");
    }

    /// <summary>Frames that the guest sent: carried or dropped with a reason.</summary>
    public long TxAccounted => _counters.Sum(c => c.TxFrames + Enum.GetValues<DropReason>().Sum(c.TxDropped));

    public InspectNode Inspect()
    {
        var writer = new InspectWriter("device");
        _device.Inspect(writer);
        return writer.Root;
    }

    public void Dispose()
    {
        var disposing = _device.DisposeAsync().AsTask();
        for (var i = 0; i < 100 && !disposing.IsCompleted; i++) Loop.RunOnce(1);
        if (!disposing.IsCompletedSuccessfully) throw new InvariantException("The device does not stop.");
        Loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Open descriptors of this process.</summary>
    public static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    /// <summary>What they lead to, for a report.</summary>
    public static string DescribeDescriptors() => string.Join(", ", new DirectoryInfo("/proc/self/fd").EnumerateFiles()
        .Select(f => f.LinkTarget ?? "").Select(t => t.Contains('[', StringComparison.Ordinal) && !t.StartsWith("anon", StringComparison.Ordinal) ? t.Split(':')[0] : t)
        .GroupBy(t => t).Select(g => $"{g.Key} {g.Count()}"));

    /// <summary>Stands between device and endpoint, both ways.</summary>
    private sealed class Between(DeviceRig rig, IEndpointQueue? endpoint = null, IDeviceQueue? device = null) : IEndpointQueue, IDeviceQueue
    {
        public int Transmit(in TxBatch batch)
        {
            rig.InUse?.Invoke();
            return endpoint!.Transmit(batch);
        }

        public void ReceiveReady() => endpoint!.ReceiveReady();

        public void Close() => endpoint!.Close();

        public int Reserve(int length, Span<Contracts.Memory.Segment> segments, out RxTicket ticket)
        {
            var count = device!.Reserve(length, segments, out ticket);
            if (count > 0) rig.InUse?.Invoke();
            return count;
        }

        public void Commit(RxTicket ticket, int length, in FrameOffload offload) => device!.Commit(ticket, length, offload);

        public void Release(RxTicket ticket) => device!.Release(ticket);

        public void Flush() => device!.Flush();

        public void TransmitReady() => device!.TransmitReady();
    }

    /// <summary>One VM with one NIC.</summary>
    private sealed class Scope : IVmScope
    {
        public SharedLease<T> Share<T>(string key, Func<T> create) where T : class, IAsyncDisposable
        {
            var made = create();
            return new SharedLease<T>(made, made.DisposeAsync);
        }
    }
}
