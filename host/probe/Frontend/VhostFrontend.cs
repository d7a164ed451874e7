using System.Buffers.Binary;
using NicHost.Linux;

namespace NicHost.Probe.Frontend;

/// <summary>
/// A vhost-user front-end: what a VMM does between its guest's virtio driver and our back-end. One thread. Every step is a method of
/// its own, so that tests can leave steps out, repeat them or change their order.
/// </summary>
public sealed unsafe partial class VhostFrontend : IDisposable
{
    private readonly FrontendOptions _options;
    private Fd? _backendChannel;

    private VhostFrontend(FrontendOptions options, Fd socket)
    {
        _options = options;
        Channel = new VhostChannel(socket, options.Timeout) { Trace = options.Trace };
    }

    /// <summary>The connection itself, for what no honest front-end sends.</summary>
    public VhostChannel Channel { get; }

    /// <summary>What the back-end offers.</summary>
    public VirtioFeatures Offered { get; private set; }

    /// <summary>What was acknowledged.</summary>
    public VirtioFeatures Features { get; private set; }

    /// <summary>Protocol features in force.</summary>
    public ProtocolFeatures Protocol { get; private set; }

    /// <summary>Queue pairs in use.</summary>
    public int QueuePairs { get; private set; } = 1;

    /// <summary>The back-end's end of the channel for its own requests, or -1.</summary>
    public int BackendChannel => _backendChannel?.Raw ?? -1;

    /// <summary>Whether a device feature is in force.</summary>
    public bool Has(VirtioFeatures feature) => (Features & feature) == feature;

    /// <summary>Whether a protocol feature is in force.</summary>
    public bool Has(ProtocolFeatures feature) => (Protocol & feature) == feature;

    /// <summary>Connects, or listens and waits for the back-end.</summary>
    /// <exception cref="VhostException">Nobody is there.</exception>
    public static VhostFrontend Attach(FrontendOptions options)
    {
        if (!options.Listen) return new VhostFrontend(options, Connect(options));
        using var listener = UnixSocket.Listen(options.Socket);
        if (Io.Poll(listener.Raw, PollEvents.In, (int)options.Timeout.TotalMilliseconds) == PollEvents.None)
            throw new VhostException($"No back-end connected to {options.Socket} within {options.Timeout.TotalSeconds:0.#} s.");
        var accepted = UnixSocket.Accept(listener.Raw);
        UnixSocket.Unlink(options.Socket);
        return new VhostFrontend(options, new Fd((int)accepted.OrThrow("accept the back-end")));
    }

    /// <summary>Over a connection that exists already.</summary>
    public static VhostFrontend Over(FrontendOptions options, Fd socket) => new(options, socket);

    /// <summary>Everything up to the acknowledged features, as QEMU does it.</summary>
    public void Negotiate()
    {
        Offered = (VirtioFeatures)Get(VhostRequest.GetFeatures);
        if ((Offered & VirtioFeatures.Version1) == 0) throw new VhostException("The back-end does not offer VERSION_1.");
        if ((Offered & _options.Features & VirtioFeatures.ProtocolFeatures) != 0) NegotiateProtocol();
        Set(VhostRequest.SetOwner, default);
        var wanted = Offered & _options.Features;
        if (QueuePairs == 1) wanted &= ~VirtioFeatures.Mq;
        SetFeatures(wanted);
    }

    /// <summary>Acknowledges device features.</summary>
    public void SetFeatures(VirtioFeatures features)
    {
        Features = features;
        SetWord(VhostRequest.SetFeatures, (ulong)features);
    }

    /// <summary>Gives the back-end a channel for its own requests.</summary>
    public void OpenBackendChannel()
    {
        var (ours, theirs) = UnixSocket.Pair();
        _backendChannel?.Dispose();
        _backendChannel = ours;
        using (theirs) Request(VhostRequest.SetBackendReqFd, default, [theirs.Raw]);
    }

    /// <summary>Tells the device's status byte, where the back-end wants to know it.</summary>
    public void SetStatus(byte status)
    {
        if (Has(ProtocolFeatures.Status)) SetWord(VhostRequest.SetStatus, status);
    }

    /// <summary>Reads the device's configuration space.</summary>
    /// <exception cref="VhostException">The back-end has none, or refuses.</exception>
    public byte[] ReadConfig(int offset, int size)
    {
        var payload = new byte[12 + size];
        BinaryPrimitives.WriteInt32LittleEndian(payload, offset);
        BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(4), size);
        Channel.Send(VhostRequest.GetConfig, payload, default);
        var reply = Channel.ReceiveReply(VhostRequest.GetConfig);
        return reply.Payload.Length == payload.Length ? reply.Payload[12..] : throw new VhostException("The back-end refused to show its configuration space.");
    }

    /// <summary>Shares the guest's memory.</summary>
    public void SetMemoryTable(GuestRam ram)
    {
        var payload = new byte[8 + (32 * ram.Regions.Count)];
        BinaryPrimitives.WriteInt32LittleEndian(payload, ram.Regions.Count);
        var fds = new int[ram.Regions.Count];
        for (var i = 0; i < fds.Length; i++)
        {
            WriteRegion(payload.AsSpan(8 + (32 * i)), ram, ram.Regions[i]);
            fds[i] = ram.Fd;
        }
        Request(VhostRequest.SetMemTable, payload, fds);
    }

    /// <summary>Shares one region more (CONFIGURE_MEM_SLOTS).</summary>
    public void AddMemoryRegion(GuestRam ram, RamRegion region)
    {
        var payload = new byte[40];
        WriteRegion(payload.AsSpan(8), ram, region);
        Request(VhostRequest.AddMemReg, payload, [ram.Fd]);
    }

    /// <summary>Takes one region back.</summary>
    public void RemoveMemoryRegion(GuestRam ram, RamRegion region)
    {
        var payload = new byte[40];
        WriteRegion(payload.AsSpan(8), ram, region);
        Request(VhostRequest.RemMemReg, payload, [ram.Fd]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backendChannel?.Dispose();
        Channel.Dispose();
    }

    private static Fd Connect(FrontendOptions options)
    {
        var result = UnixSocket.TryConnect(options.Socket, UnixSocketType.Stream, out var fd);
        return fd ?? throw new VhostException($"No back-end serves {options.Socket}: {LinuxException.Describe(result.Error)}. Is the host running?");
    }

    private static void WriteRegion(Span<byte> entry, GuestRam ram, RamRegion region)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(entry, region.GuestAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], region.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], (ulong)ram.Base + region.FileOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], region.FileOffset);
    }

    private void NegotiateProtocol()
    {
        var offered = (ProtocolFeatures)Get(VhostRequest.GetProtocolFeatures);
        var wanted = offered & _options.Protocol;
        SetWord(VhostRequest.SetProtocolFeatures, (ulong)wanted);
        Protocol = wanted;
        var most = Has(ProtocolFeatures.Mq) ? (int)Math.Min(Get(VhostRequest.GetQueueNum), 256) : 1;
        QueuePairs = Math.Clamp(_options.QueuePairs, 1, Math.Max(1, most));
        if (Has(ProtocolFeatures.BackendReq)) OpenBackendChannel();
    }
}
