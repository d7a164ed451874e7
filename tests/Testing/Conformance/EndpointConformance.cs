using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using Xunit;

namespace NicHost.Testing.Conformance;

/// <summary>
/// What the contract asks of every endpoint, whatever it is. A plugin's test project derives from it and says how one is made;
/// <see cref="FakeDeviceQueue"/> throws where an endpoint breaks its side.
/// </summary>
public abstract class EndpointConformance : IDisposable
{
    private readonly FakeEndpointHost _host = new();
    private readonly List<FakeDeviceQueue> _devices = [];

    /// <summary>The loop of the tests, turned by hand.</summary>
    protected EventLoop Loop { get; } = new("conformance");

    /// <summary>The guest's address in frames from the tests.</summary>
    protected static MacAddress GuestMac { get; } = new([0x02, 0, 0, 0, 0, 1]);

    /// <summary>Makes an endpoint that is not started.</summary>
    protected abstract IEndpoint Create(EventLoop loop);

    /// <summary>Options that the endpoint takes while it runs; null (the default) when it takes none.</summary>
    protected virtual EndpointChange? Change(EventLoop loop) => null;

    [Fact]
    public async Task Capabilities_before_start_are_sound()
    {
        await using var endpoint = Create(Loop);
        var able = endpoint.Capabilities;
        Assert.InRange(able.MaxQueues, 1, 1024);
        Assert.InRange(able.MaxMtu, FrameLimits.MinMtu, FrameLimits.MaxMtu);
        if ((able.TxAccepts & OffloadSet.AllGso) != 0) Assert.True(able.TxAccepts.HasFlag(OffloadSet.Checksum), "GSO needs checksums");
        if ((able.RxGives & OffloadSet.AllGso) != 0) Assert.True(able.RxGives.HasFlag(OffloadSet.Checksum), "GSO needs checksums");
    }

    [Fact]
    public async Task Start_and_dispose_leave_no_descriptor()
    {
        await StartAndDispose();
        const int Rounds = 5;
        var before = CountDescriptors();
        for (var i = 0; i < Rounds; i++) await StartAndDispose();
        // A leak is one per round at least; the runtime may open something of its own meanwhile, once.
        Assert.InRange(CountDescriptors(), 0, before + Rounds - 1);

        async Task StartAndDispose()
        {
            await using var endpoint = Started();
            var (queue, device) = Open(endpoint);
            Loop.RunUntilIdle();
            queue.Close();
            device.IsClosed = true;
        }
    }

    [Fact]
    public async Task Queue_reopened_after_close_works_and_the_closed_device_is_left_alone()
    {
        await using var endpoint = Started();
        for (var i = 0; i < 3; i++)
        {
            var (queue, device) = Open(endpoint);
            using var batch = new TxBuilder();
            Assert.Equal(1, batch.Add(TestFrames.Plain(60, i)).TransmitTo(queue));
            queue.Close();
            device.IsClosed = true;
            Loop.RunUntilIdle();
        }
    }

    [Fact]
    public async Task Transmit_of_any_bytes_takes_a_prefix_and_resolves_every_reservation()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var batch = new TxBuilder();
        for (var round = 0; round < 300; round++)
        {
            var count = random.Next(1, 9);
            for (var i = 0; i < count; i++) batch.Add(RandomFrame(random), RandomOffload(random, endpoint.Capabilities), random.Next(14, 700));
            var taken = batch.TransmitTo(queue);
            Assert.True(taken >= 0 && taken <= count, $"took {taken} of {count}, seed {seed}");
            Assert.True(device.OpenReservations == 0, $"left {device.OpenReservations} reservations open, seed {seed}");
            Loop.RunOnce();
        }
    }

    [Fact]
    public async Task Transmit_of_every_kind_it_accepts_is_taken()
    {
        await using var endpoint = Started();
        var (queue, _) = Open(endpoint, OffloadSet.None);
        using var batch = new TxBuilder();
        foreach (var v4 in new[] { true, false })
        {
            if (!endpoint.Capabilities.TxAccepts.HasFlag(v4 ? OffloadSet.TsoV4 : OffloadSet.TsoV6)) continue;
            var (frame, offload) = TestFrames.TcpSuperFrame(v4, 20_000, 1400);
            Assert.Equal(1, batch.Add(frame, offload, 4096).TransmitTo(queue));
            Loop.RunUntilIdle(100);
        }
    }

    [Fact]
    public async Task Guest_without_buffers_gets_nothing_and_a_later_ready_does_no_harm()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        device.Withheld = int.MaxValue;
        using var batch = new TxBuilder();
        for (var i = 0; i < 100; i++)
        {
            batch.Add(TestFrames.Plain(200, i)).TransmitTo(queue);
            Loop.RunOnce();
        }
        Assert.Equal(0, device.Commits);
        device.Withheld = 0;
        queue.ReceiveReady();
        Loop.RunUntilIdle(1000);
        Assert.Equal(0, device.OpenReservations);
    }

    [Fact]
    public async Task Other_options_are_taken_or_refused_and_the_open_queue_goes_on()
    {
        var change = Change(Loop);
        if (change is not null)
        {
            Assert.True(change.Factory.CanReconfigure(change.Running, change.Wanted), "the factory refuses the change");
            Assert.True(change.Factory.CanReconfigure(change.Wanted, change.Running), "the factory refuses the way back");
        }
        await using var endpoint = Started(change?.Factory.Create(change.Running));
        var (queue, device) = Open(endpoint);
        using var batch = new TxBuilder();
        var before = 0;
        for (var i = 0; i < 20; i++)
        {
            AssertPasses(i);
            if (change is not null) endpoint.Reconfigure(i % 2 == 0 ? change.Wanted : change.Running);
            else Assert.Throws<NotSupportedException>(() => endpoint.Reconfigure(TestNic.EndpointContext(Loop, """{"kind":"any"}""")));
            AssertPasses(i);
            // Each second time it is what it was; once or twice it may keep something for later.
            if (i == 3) before = CountDescriptors();
        }
        Assert.InRange(CountDescriptors(), 0, before + 2);
        queue.Close();

        void AssertPasses(int seed)
        {
            Assert.Equal(8, Enumerable.Range(0, 8).Aggregate(batch, (b, n) => b.Add(TestFrames.Plain(100, seed + n))).TransmitTo(queue));
            queue.ReceiveReady();
            Loop.RunUntilIdle(1000);
            Assert.Equal(0, device.OpenReservations);
        }
    }

    [Fact]
    public async Task Steady_transmit_allocates_nothing()
    {
        await using var endpoint = Started();
        var (queue, device) = Open(endpoint);
        device.Record = false;
        using var batch = new TxBuilder();
        for (var i = 0; i < 32; i++) batch.Add(TestFrames.Plain(1000, i));
        for (var i = 0; i < 2000; i++) Round();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 2000; i++) Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Round()
        {
            batch.Offer(queue);
            Loop.RunOnce();
        }
    }

    [Fact]
    public async Task Inspect_at_any_time_writes_a_tree()
    {
        await using var endpoint = Started();
        endpoint.Inspect(new InspectWriter("endpoint"));
        var (queue, _) = Open(endpoint);
        endpoint.Inspect(new InspectWriter("endpoint"));
        queue.Close();
        endpoint.Inspect(new InspectWriter("endpoint"));
    }

    /// <summary>A started endpoint.</summary>
    /// <param name="made">One that is made already.</param>
    protected IEndpoint Started(IEndpoint? made = null)
    {
        var endpoint = made ?? Create(Loop);
        Loop.RunOnce();
        endpoint.Start(_host);
        return endpoint;
    }

    /// <summary>Opens queue 0 on a fake device.</summary>
    protected (IEndpointQueue Queue, FakeDeviceQueue Device) Open(IEndpoint endpoint, OffloadSet? accepted = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        var takes = accepted ?? endpoint.Capabilities.RxGives;
        var device = new FakeDeviceQueue(accepted: takes);
        _devices.Add(device);
        var queue = endpoint.OpenQueue(new EndpointQueueConfig
        {
            Index = 0,
            Loop = Loop,
            Device = device,
            AcceptedRx = takes,
            MaxRxFrame = (takes & OffloadSet.AllGso) != 0 ? FrameLimits.MaxFrame : 1514,
            Counters = new QueueCounters(),
        });
        return (queue, device);
    }

    public void Dispose()
    {
        Loop.Dispose();
        foreach (var device in _devices) device.Dispose();
        GC.SuppressFinalize(this);
    }

    private static int CountDescriptors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return OpenDescriptors.Count();
    }

    private static byte[] RandomFrame(Random random)
    {
        var frame = new byte[random.Next(14, 1600)];
        random.NextBytes(frame);
        if (random.Next(4) == 0) return frame;
        // Mostly something that looks like IP or ARP from the guest, so that the parsers behind get their share.
        GuestMac.CopyTo(frame.AsSpan(6));
        var types = new ushort[] { 0x0800, 0x86dd, 0x0806, 0x8100 };
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), types[random.Next(types.Length)]);
        if (frame.Length < 54) return frame;
        frame[14] = frame[12] == 0x86 ? (byte)0x60 : (byte)(0x40 | random.Next(3, 9));
        if (random.Next(2) == 0) System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), (ushort)(frame.Length - 14));
        frame[23] = (byte)(random.Next(3) switch { 0 => 6, 1 => 17, _ => 1 });
        // Nothing random leaves this machine: destinations are loopback addresses.
        if (frame[12] == 0x86) frame.AsSpan(38, 15).Clear();
        else frame[30] = 127;
        return frame;
    }

    private static FrameOffload RandomOffload(Random random, EndpointCapabilities able)
    {
        if (able.TxAccepts == OffloadSet.None || random.Next(2) == 0) return default;
        return new FrameOffload
        {
            Checksum = ChecksumState.Partial,
            ChecksumStart = (ushort)random.Next(0, 1600),
            ChecksumOffset = (ushort)(random.Next(2) == 0 ? 16 : 6),
            Gso = (GsoKind)random.Next(4),
            SegmentSize = (ushort)random.Next(1, 1500),
            HeaderLength = (ushort)random.Next(0, 200),
        };
    }
}
