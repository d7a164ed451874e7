using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Testing;

namespace Samples.Switch.Tests.Rig;

/// <summary>A NIC on a switch with a guest that is played by the test: it sends with <see cref="Send"/>, and receives into a fake device.</summary>
internal sealed class Nic : IDisposable
{
    private readonly IEventLoop _loop;
    private readonly TxBuilder _guest = new();
    private readonly OffloadSet _accepted;
    private IEndpointQueue? _queue;

    public Nic(IEventLoop loop, string name, byte number, string options = "", OffloadSet accepted = OffloadSet.None, int buffers = 256)
    {
        (_loop, _accepted) = (loop, accepted);
        Address = Frames.Address(number);
        Device = new FakeDeviceQueue(buffers, accepted: accepted);
        Context = ContextOf(loop, name, number, options);
        Endpoint = new SwitchFactory().Create(Context);
    }

    public IEventLoop Loop => _loop;

    public MacAddress Address { get; }

    public EndpointContext Context { get; }

    public IEndpoint Endpoint { get; }

    public FakeDeviceQueue Device { get; }

    public QueueCounters Counters { get; } = new();

    /// <summary>What came, and takes it away.</summary>
    public IReadOnlyList<byte[]> Taken
    {
        get
        {
            byte[][] frames = [.. Device.Received.Select(frame => frame.Bytes)];
            Device.Received.Clear();
            return frames;
        }
    }

    public static EndpointContext ContextOf(IEventLoop loop, string name, byte number, string options) =>
        TestNic.EndpointContext(loop, $$"""{ "kind": "switch", "name": "{{name}}"{{(options.Length > 0 ? ", " : "")}}{{options}} }""", mac: Frames.Address(number).ToString())
            with { Nic = new NicIdentity($"vm{number}", "eth0") };

    public void Start() => Endpoint.Start(new FakeEndpointHost());

    public void Open(IDeviceQueue? device = null) => _queue = Endpoint.OpenQueue(new EndpointQueueConfig
    {
        Index = 0,
        Loop = _loop,
        Device = device ?? Device,
        AcceptedRx = _accepted,
        MaxRxFrame = (_accepted & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : 1514,
        Counters = Counters,
    });

    public void Close() => _queue!.Close();

    /// <summary>The guest sends; 1 when the frame was taken, 0 when it has to wait.</summary>
    public int Send(byte[] frame, FrameOffload offload = default, int segmentSize = int.MaxValue) => _guest.Add(frame, offload, segmentSize).TransmitTo(_queue!);

    /// <summary>The guest has a batch sent that stays as it is.</summary>
    public int Offer(TxBuilder batch) => batch.Offer(_queue!);

    /// <summary>Bytes of the guest's memory, which it may change at any time.</summary>
    public Span<byte> Memory => _guest.Memory;

    /// <summary>The guest posts its buffers anew.</summary>
    public void PostBuffers()
    {
        Device.Withheld = 0;
        _queue!.ReceiveReady();
    }

    public InspectNode Inspect()
    {
        var writer = new InspectWriter("endpoint");
        Endpoint.Inspect(writer);
        return writer.Root;
    }

    public void Dispose()
    {
        Assert.True(Endpoint.DisposeAsync().AsTask().Wait(TimeSpan.FromSeconds(60)), "The loop hangs.");
        Device.Dispose();
        _guest.Dispose();
    }
}
