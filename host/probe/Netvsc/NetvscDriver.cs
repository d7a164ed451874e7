using System.Buffers.Binary;
using System.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Netvsc;

/// <summary>
/// The guest's driver of one synthetic network card: NVSP and RNDIS over channels of a bus. <see cref="Start"/> does what drivers do at their
/// start; the steps are there one by one for tests. One thread.
/// </summary>
public sealed partial class NetvscDriver : IDisposable
{
    private const int NvspSize = 40;
    private const ushort InBand = 6;

    private readonly NetvscOptions _options;
    private readonly byte[] _message = new byte[NvspSize];
    private uint _nextRequest = 1;
    private bool _closed;

    /// <summary>A driver for a card that was offered.</summary>
    public NetvscDriver(NetvscOptions options, VmbusClient bus, GuestRam ram, ChannelOffer primary)
    {
        _options = options;
        Bus = bus;
        Ram = ram;
        Primary = new NetvscQueue(this, new GuestChannel(bus, primary, ram, options.RingPages, options.InBand));
        Queues.Add(Primary);
    }

    /// <summary>The bus.</summary>
    public VmbusClient Bus { get; }

    /// <summary>The guest's memory.</summary>
    public GuestRam Ram { get; }

    /// <summary>What it saw the host do wrong.</summary>
    public FaultLog Faults { get; } = new();

    /// <summary>The primary channel.</summary>
    public NetvscQueue Primary { get; }

    /// <summary>All channels, the primary one first.</summary>
    public List<NetvscQueue> Queues { get; } = [];

    /// <summary>The NVSP version agreed on.</summary>
    public uint Version { get; private set; }

    /// <summary>Where the host puts frames.</summary>
    public GuestBuffer? Receive { get; private set; }

    /// <summary>Bytes of its sections.</summary>
    public int SectionSize { get; private set; }

    /// <summary>How many there are.</summary>
    public int SectionCount { get; private set; }

    /// <summary>Where we put frames.</summary>
    public GuestBuffer? Send { get; private set; }

    /// <summary>Bytes of its sections.</summary>
    public int SendSectionSize { get; private set; }

    /// <summary>The card's address.</summary>
    public MacAddress Mac { get; private set; }

    /// <summary>The largest IP packet.</summary>
    public int Mtu { get; private set; } = 1500;

    /// <summary>What we may leave to the host.</summary>
    public OffloadSet TxOffloads { get; private set; }

    /// <summary>What we take from it.</summary>
    public OffloadSet RxOffloads { get; private set; }

    /// <summary>The link, as the host told it last.</summary>
    public bool LinkIsUp { get; private set; }

    /// <summary>Whether channels signal by message.</summary>
    public bool SignalsByMessage => _options.InBand;

    /// <summary>Everything that a driver does at its start.</summary>
    /// <exception cref="VmbusException">The host refuses, or does not answer.</exception>
    public void Start()
    {
        Primary.Channel.Open();
        NegotiateVersion();
        SendConfig(_options.Mtu ?? 1500);
        ShareBuffers();
        Initialize();
        AskForAddresses();
        SetOffloads(_options.Offloads);
        if (_options.Channels > 1) OpenSubchannels(_options.Channels - 1);
        if (_options.Filter != 0) SetFilter(_options.Filter);
    }

    /// <summary>NVSP's version.</summary>
    public void NegotiateVersion()
    {
        foreach (var version in _options.NvspVersions)
        {
            var answer = Request(1, version, version);
            if (Word(answer, 3) != 1) continue;
            Version = version;
            return;
        }
        throw new VmbusException("The host speaks no version of NVSP that we speak.");
    }

    /// <summary>MTU and abilities, and the NDIS version.</summary>
    public void SendConfig(int mtu)
    {
        // VLAN, and from 6.1 on RSC.
        var capabilities = Version >= 0x60001 ? 0x88u : 0x8u;
        if (Version >= 0x30002) Tell(125, (uint)mtu + 14, 0, capabilities, 0);
        Tell(100, 6, Version >= 0x50000 ? 30u : 1u);
    }

    /// <summary>The receive and the send buffer.</summary>
    public void ShareBuffers()
    {
        Receive ??= new GuestBuffer(Ram, _options.ReceiveBuffer, _options.Scattered);
        Receive.Gpadl = Bus.CreateGpadl(Primary.Channel.Offer.RelId, Receive.Frames);
        var answer = Request(101, Receive.Gpadl, 0xcafe);
        if (Word(answer, 1) != 1 || Word(answer, 2) != 1) throw new VmbusException($"The host refuses the receive buffer: {Word(answer, 1)}.");
        (SectionSize, SectionCount) = ((int)Word(answer, 4), (int)Word(answer, 5));

        Send ??= new GuestBuffer(Ram, _options.SendBuffer, _options.Scattered);
        Send.Gpadl = Bus.CreateGpadl(Primary.Channel.Offer.RelId, Send.Frames);
        answer = Request(104, Send.Gpadl, 0);
        if (Word(answer, 1) != 1) throw new VmbusException($"The host refuses the send buffer: {Word(answer, 1)}.");
        SendSectionSize = (int)Word(answer, 2);
        for (var section = 0; section < Send.Length / SendSectionSize; section++) FreeSections.Push(section);
    }

    /// <summary>Asks for subchannels and opens what is offered.</summary>
    public void OpenSubchannels(int count)
    {
        var answer = Request(133, 1, (uint)count);
        if (Word(answer, 1) != 1) return;
        var granted = (int)Word(answer, 2);
        var instance = Primary.Channel.Offer.Instance;
        if (!Bus.WaitForOffers(instance, granted + 1)) throw new VmbusException($"The host granted {granted} subchannels and does not offer them.");
        foreach (var offer in Bus.Offers.Where(o => o.Instance == instance && o.Index > 0).OrderBy(o => o.Index).ToArray())
        {
            var queue = new NetvscQueue(this, new GuestChannel(Bus, offer, Ram, _options.RingPages, _options.InBand));
            queue.Channel.Open((uint)offer.Index);
            Queues.Add(queue);
        }
    }

    /// <summary>Stops in order: halt, close, buffers back.</summary>
    public void Stop()
    {
        if (_closed) return;
        _closed = true;
        Control(3, ReadOnlySpan<byte>.Empty, answerType: 0);
        foreach (var queue in Queues.Skip(1).Reverse()) queue.Channel.Close();
        Primary.Channel.Close();
        foreach (var buffer in new[] { Receive, Send })
        {
            if (buffer is not null) Bus.TearDownGpadl(Primary.Channel.Offer.RelId, buffer.Gpadl);
        }
        foreach (var relId in Bus.Rescinded) Bus.ReleaseRelId(relId);
        Bus.Rescinded.Clear();
    }

    /// <summary>Sends an NVSP message and waits for its completion.</summary>
    /// <exception cref="VmbusException">None comes.</exception>
    public byte[] Request(uint type, params ReadOnlySpan<uint> fields)
    {
        // DPDK numbers all of its requests 0.
        Primary.Completion = null;
        Write(Primary, type, fields, wantsCompletion: true);
        return Await(() => Primary.Completion) ?? throw new VmbusException($"The host does not answer NVSP message {type}.");
    }

    /// <summary>Sends an NVSP message that wants no answer.</summary>
    public void Tell(uint type, params ReadOnlySpan<uint> fields) => Write(Primary, type, fields, wantsCompletion: false);

    /// <summary>Works until something is there.</summary>
    public T? Await<T>(Func<T?> look) where T : class
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < _options.Timeout;)
        {
            foreach (var queue in Queues) queue.Poll(null, int.MaxValue);
            if (look() is { } found) return found;
            Primary.Wait(10);
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var queue in Queues) queue.Channel.Dispose();
    }

    /// <summary>Sections of the send buffer that hold nothing.</summary>
    public Stack<int> FreeSections { get; } = new();

    internal static uint Word(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(4 * index)..]);

    private void Write(NetvscQueue queue, uint type, ReadOnlySpan<uint> fields, bool wantsCompletion)
    {
        _message.AsSpan().Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(_message, type);
        for (var i = 0; i < fields.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(_message.AsSpan(4 * (i + 1)), fields[i]);
        if (!queue.Channel.Out.TryWrite(InBand, NetvscQueue.RequestTransaction, wantsCompletion, [], _message, out var signal))
            throw new VmbusException("The ring to the host is full.");
        if (signal) queue.Channel.Signal();
    }
}
