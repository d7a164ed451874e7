using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Rig;

/// <summary>Cards on one bus, each with an endpoint behind it, on loops of their own threads: what a host makes of a VM.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-netvsp-").FullName;
    private readonly SharedScope _scope = new();

    public string Socket => Path.Combine(_folder, "vmbus.sock");

    public List<TestNic> Nics { get; } = [];

    /// <summary>Adds a card and starts it.</summary>
    public async Task<TestNic> AddAsync(string extra = "", int queues = 1, int mtu = 1500, string mac = "52:54:00:12:34:56", string endpoint = "loopback")
    {
        IEndpointFactory factory = endpoint == "null" ? new NullEndpointFactory() : new LoopbackEndpointFactory();
        var nic = await TestNic.StartAsync(
            loop => factory.Create(TestNic.EndpointContext(loop, $$"""{"kind":"{{endpoint}}"}""", mtu, mac)),
            loop => new NetVspFactory().Create(Context(loop, queues, extra, mtu, mac)),
            queues, mtu);
        Nics.Add(nic);
        return nic;
    }

    /// <summary>A client that has said hello and shared its memory.</summary>
    public (VmbusClient Bus, GuestRam Ram) Connect(long memory = 64 << 20)
    {
        var bus = new VmbusClient(Socket, TimeSpan.FromSeconds(5));
        var ram = new GuestRam(memory, 2);
        bus.AddMemory(ram);
        return (bus, ram);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var nic in Nics) await nic.DisposeAsync();
        Assert.False(File.Exists(Socket), "the socket was left behind");
        Directory.Delete(_folder, recursive: true);
    }

    private DeviceContext Context(Contracts.Loops.IEventLoop loop, int queues, string extra, int mtu, string mac) =>
        TestNic.DeviceContext(loop, $$"""{"kind":"netvsp","socket":"{{Socket}}","queues":{{queues}}{{extra}}}""", mtu, mac) with
        {
            Vm = _scope,
            Nic = new Contracts.Nics.NicIdentity("vm", mac),
        };

    /// <summary>Shares by key, as a VM of the host does.</summary>
    private sealed class SharedScope : IVmScope
    {
        private readonly Lock _gate = new();
        private readonly Dictionary<string, (object Value, int Count)> _shared = [];

        public SharedLease<T> Share<T>(string key, Func<T> create) where T : class, IAsyncDisposable
        {
            lock (_gate)
            {
                var (value, count) = _shared.TryGetValue(key, out var found) ? found : (create(), 0);
                _shared[key] = (value, count + 1);
                return new SharedLease<T>((T)value, () => Release((T)value, key));
            }
        }

        private ValueTask Release(IAsyncDisposable value, string key)
        {
            lock (_gate)
            {
                var count = _shared[key].Count - 1;
                if (count > 0)
                {
                    _shared[key] = (value, count);
                    return ValueTask.CompletedTask;
                }
                _shared.Remove(key);
            }
            return value.DisposeAsync();
        }
    }
}

/// <summary>One guest with a running driver, and the other side of what it sends.</summary>
internal sealed unsafe class Guest : IDisposable
{
    private readonly Sink _sink = new();

    private Guest(VmbusClient bus, GuestRam ram, NetvscDriver driver)
    {
        (Bus, Ram, Driver) = (bus, ram, driver);
        foreach (var queue in driver.Queues) queue.Sink = _sink;
    }

    public VmbusClient Bus { get; }
    public GuestRam Ram { get; }
    public NetvscDriver Driver { get; }
    public NetvscQueue Queue => Driver.Primary;

    /// <summary>A page for the bits of channels, whether anybody looks there or not.</summary>
    public required MonitorPage MonitorPage { get; init; }

    public List<ReceivedFrame> Frames => _sink.Frames;

    public static NetvscOptions Plain(Bench bench) => new() { Socket = bench.Socket, ReceiveBuffer = 2 << 20, SendBuffer = 256 << 10, RingPages = 16 };

    /// <summary>Attached, the driver started.</summary>
    public static Guest Start(Bench bench, NetvscOptions? options = null, int card = 0)
    {
        var guest = Attach(bench, options, card);
        guest.Driver.Start();
        foreach (var queue in guest.Driver.Queues) queue.Sink = guest._sink;
        return guest;
    }

    /// <summary>Attached, the driver not started.</summary>
    /// <param name="bench">The cards.</param>
    /// <param name="options">How the driver works.</param>
    /// <param name="card">Which of them.</param>
    /// <param name="monitor">Who looks at the monitor page; with nobody there is none.</param>
    public static Guest Attach(Bench bench, NetvscOptions? options = null, int card = 0, ulong monitor = 0)
    {
        var settings = options ?? Plain(bench);
        var (bus, ram) = bench.Connect();
        var page = new MonitorPage(ram);
        if (monitor != 0) bus.Socket.Send(WireKind.Monitor, monitor);
        Assert.True(bus.InitiateContact(settings.VmbusVersion, monitor == 0 ? 0 : page.Address));
        bus.RequestOffers();
        var offer = bus.Offers.Where(o => o.Index == 0).OrderBy(o => o.RelId).ElementAt(card);
        var guest = new Guest(bus, ram, new NetvscDriver(settings, bus, ram, offer)) { MonitorPage = page };
        if (monitor != 0) guest.Queue.Channel.MonitorPage = guest.MonitorPage;
        return guest;
    }

    /// <summary>Sends a frame and waits for it to come back from the loopback endpoint.</summary>
    public void AssertEcho(int length = 100, NetvscQueue? queue = null)
    {
        var frame = TestFrames.Plain(length, length);
        Assert.True(Send(frame, queue: queue));
        Assert.Equal(frame, Next()?.Bytes);
    }

    public bool Send(byte[] frame, FrameOffload offload = default, NetvscQueue? queue = null)
    {
        var channel = queue ?? Queue;
        if (!channel.TryBegin(frame.Length, out var room)) return false;
        frame.CopyTo(room);
        channel.Send(frame.Length, null, 0, offload);
        channel.Flush();
        return true;
    }

    /// <summary>The next frame that came; null when none does.</summary>
    public ReceivedFrame? Next(int milliseconds = 3000)
    {
        var limit = Environment.TickCount64 + milliseconds;
        while (_sink.Frames.Count == 0 && Environment.TickCount64 < limit)
        {
            foreach (var queue in Driver.Queues) queue.Poll(null, 64);
            if (_sink.Frames.Count == 0) Driver.Primary.Wait(Driver.Queues.Count > 1 ? 5 : 50);
        }
        if (_sink.Frames.Count == 0) return null;
        var frame = _sink.Frames[0];
        _sink.Frames.RemoveAt(0);
        return frame;
    }

    /// <summary>Polls until something holds.</summary>
    public bool Until(Func<bool> done, int milliseconds = 3000)
    {
        var limit = Environment.TickCount64 + milliseconds;
        while (!done() && Environment.TickCount64 < limit)
        {
            foreach (var queue in Driver.Queues) queue.Poll(null, 64);
            if (!done()) Driver.Primary.Wait(10);
        }
        return done();
    }

    public void Dispose()
    {
        Driver.Dispose();
        Bus.Dispose();
        Ram.Dispose();
    }

    private sealed class Sink : Probe.Stack.IFrameSink
    {
        public List<ReceivedFrame> Frames { get; } = [];

        public void Receive(in Probe.Stack.RxFrame frame)
        {
            var bytes = new byte[frame.Length];
            frame.CopyTo(bytes);
            Frames.Add(new ReceivedFrame(bytes, frame.Offload));
        }
    }
}

/// <summary>Looks into an inspect tree.</summary>
internal static class Trees
{
    /// <summary>The value at a path of names.</summary>
    public static object? At(this InspectNode node, params string[] path)
    {
        foreach (var name in path) node = node.Children.First(c => c.Name == name);
        return node.Value;
    }

    public static async Task<object?> InspectAsync(this TestNic nic, params string[] path) => (await nic.InspectDeviceAsync()).At(path);

    /// <summary>Waits until the NIC has reported a mistake of its guest.</summary>
    public static string? WaitForFault(this TestNic nic, string part)
    {
        SpinWait.SpinUntil(() => nic.GuestFaults.Any(f => f.Contains(part, StringComparison.Ordinal)), TimeSpan.FromSeconds(3));
        return nic.GuestFaults.FirstOrDefault(f => f.Contains(part, StringComparison.Ordinal));
    }
}
