using System.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Netvsc;

/// <summary>A whole guest behind a synthetic network card: memory, bus, driver and stack. One thread.</summary>
public sealed unsafe class NetvscGuest : IGuest
{
    // NAPI's: acknowledgements go out at least as often as this.
    private const int Budget = 64;

    private readonly NetvscOptions _options;
    private readonly PollFd[] _waits;
    private int _begun;

    private NetvscGuest(NetvscOptions options, VmbusClient bus, GuestRam ram, NetvscDriver driver)
    {
        _options = options;
        Bus = bus;
        Ram = ram;
        Driver = driver;
        _waits = new PollFd[driver.Queues.Count + 1];
        Stack = new ProbeStack(this, faults: driver.Faults) { Mtu = driver.Mtu };
    }

    /// <summary>The bus.</summary>
    public VmbusClient Bus { get; }

    /// <summary>The driver.</summary>
    public NetvscDriver Driver { get; }

    /// <inheritdoc/>
    public GuestRam Ram { get; }

    /// <inheritdoc/>
    public ProbeStack Stack { get; }

    /// <inheritdoc/>
    public FaultLog Faults => Driver.Faults;

    /// <inheritdoc/>
    public MacAddress Mac => Driver.Mac;

    /// <inheritdoc/>
    public int Mtu => Driver.Mtu;

    /// <inheritdoc/>
    public OffloadSet TxOffloads => Driver.TxOffloads;

    /// <inheritdoc/>
    public bool Disconnected { get; private set; }

    /// <inheritdoc/>
    public long FramesSent
    {
        get
        {
            // Asked for at every turn: without an enumerator on the heap.
            long sum = 0;
            foreach (var queue in Driver.Queues) sum += queue.FramesSent;
            return sum;
        }
    }

    /// <inheritdoc/>
    public long FramesReceived => Driver.Queues.Sum(q => q.FramesReceived);

    /// <inheritdoc/>
    public long Kicks => Driver.Queues.Sum(q => q.Channel.Kicks);

    /// <inheritdoc/>
    public long Sleeps { get; private set; }

    /// <inheritdoc/>
    public string Summary
    {
        get
        {
            var words = new List<string> { Driver.Queues.Count == 1 ? "1 channel" : $"{Driver.Queues.Count} channels" };
            if (TxOffloads.HasFlag(OffloadSet.Checksum)) words.Add("checksum");
            if (TxOffloads.HasFlag(OffloadSet.TsoV4)) words.Add("LSO");
            if (Driver.RxOffloads.HasFlag(OffloadSet.TsoV4)) words.Add("RSC");
            return string.Join(", ", words);
        }
    }

    /// <summary>Attaches a guest to a bus, finds its card and starts the driver.</summary>
    /// <exception cref="VmbusException">The host is not there, or refuses.</exception>
    public static NetvscGuest Start(NetvscOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var bus = new VmbusClient(options.Socket, options.Timeout);
        var ram = new GuestRam(options.MemorySize, options.MemoryRegions);
        try
        {
            bus.AddMemory(ram);
            if (!bus.InitiateContact(options.VmbusVersion)) throw new VmbusException($"The host does not speak VMBus {options.VmbusVersion >> 16}.{options.VmbusVersion & 0xffff}.");
            bus.RequestOffers();
            return new NetvscGuest(options, bus, ram, StartDriver(options, bus, ram));
        }
        catch
        {
            bus.Dispose();
            ram.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryBegin(uint flow, int length, out Span<byte> room)
    {
        _begun = Driver.Queues.Count == 1 ? 0 : (int)(flow % (uint)Driver.Queues.Count);
        return Driver.Queues[_begun].TryBegin(length, out room);
    }

    /// <inheritdoc/>
    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload) => Driver.Queues[_begun].Send(length, tail, tailLength, offload);

    /// <summary>Does what there is to do now.</summary>
    /// <returns>Frames received.</returns>
    public int Poll()
    {
        var frames = 0;
        foreach (var queue in Driver.Queues) frames += queue.Poll(Stack, Budget);
        Stack.Poll();
        foreach (var queue in Driver.Queues) queue.Flush();
        return frames;
    }

    /// <inheritdoc/>
    public bool RunUntil(Func<bool> done, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(done);
        var start = Stopwatch.GetTimestamp();
        var idleSince = start;
        while (true)
        {
            var sent = FramesSent;
            var frames = Poll();
            var isDone = done();
            foreach (var queue in Driver.Queues) queue.Flush();
            if (isDone) return true;
            var now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(start, now) > timeout || Disconnected || _options.Cancellation.IsCancellationRequested) return false;
            if (frames > 0 || FramesSent != sent) idleSince = now;
            else if (Stopwatch.GetElapsedTime(idleSince, now) >= _options.BusyPoll) Wait();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Driver.Dispose();
        Bus.Dispose();
        Ram.Dispose();
    }

    private static NetvscDriver StartDriver(NetvscOptions options, VmbusClient bus, GuestRam ram)
    {
        // Cards do not tell their addresses before they are started: on a bus with several each is tried.
        foreach (var offer in bus.Offers.Where(o => o.Index == 0).ToArray())
        {
            var driver = new NetvscDriver(options, bus, ram, offer);
            driver.Start();
            if (options.Mac is not { } mac || driver.Mac == mac) return driver;
            driver.Stop();
            driver.Dispose();
        }
        throw new VmbusException(options.Mac is null ? "There is no network card on the bus." : $"There is no card {options.Mac} on the bus.");
    }

    private void Wait()
    {
        var armed = true;
        for (var i = 0; i < Driver.Queues.Count; i++)
        {
            armed &= Driver.Queues[i].WantCall(true);
            _waits[i] = new PollFd { Fd = Driver.Queues[i].Channel.Call.Raw, Events = PollEvents.In };
        }
        _waits[^1] = new PollFd { Fd = Bus.Socket.Raw, Events = PollEvents.In };
        if (armed)
        {
            Sleeps++;
            Io.Poll(_waits, Stack.NextPollMs);
        }
        for (var i = 0; i < Driver.Queues.Count; i++)
        {
            if (_waits[i].Returned != PollEvents.None) Driver.Queues[i].Channel.Call.Drain();
            Driver.Queues[i].WantCall(false);
        }
        if (_waits[^1].Returned != PollEvents.None) PumpBus();
    }

    private void PumpBus()
    {
        try
        {
            Bus.Pump();
        }
        catch (VmbusException)
        {
            Disconnected = true;
        }
    }
}
