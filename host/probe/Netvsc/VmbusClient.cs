using System.Buffers.Binary;
using System.Diagnostics;
using NicHost.Probe.Frontend;

namespace NicHost.Probe.Netvsc;

/// <summary>
/// A VMM and its guest's VMBus driver in one: shares memory, negotiates, opens channels. Each step is a method of its own, so that tests can
/// leave steps out, repeat them or change their order. One thread.
/// </summary>
public sealed class VmbusClient : IDisposable
{
    /// <summary>VMBus 5.3.</summary>
    public const uint Newest = 0x0005_0003;

    private const int FramesInHeader = 26;
    private const int FramesInBody = 28;

    private readonly List<byte[]> _messages = [];
    private readonly HashSet<uint> _events = [];
    private uint _nextGpadl = 0xE1E10;

    /// <summary>Connects and says hello.</summary>
    /// <exception cref="VmbusException">Nobody is there, or speaks another version.</exception>
    public VmbusClient(string path, TimeSpan timeout, bool hello = true)
    {
        Socket = new VmbusSocket(path, timeout);
        if (!hello) return;
        Socket.Send(WireKind.Hello, 1);
        if (Wait(WireKind.HelloAck).A != 1) throw new VmbusException("The host speaks another version of the wire.");
    }

    /// <summary>The socket, for what no honest client sends.</summary>
    public VmbusSocket Socket { get; }

    /// <summary>The version agreed on.</summary>
    public uint Version { get; private set; }

    /// <summary>Channels that were offered and not taken back.</summary>
    public List<ChannelOffer> Offers { get; } = [];

    /// <summary>Channels that were taken back.</summary>
    public List<uint> Rescinded { get; } = [];

    /// <summary>Shares the guest's memory.</summary>
    public void AddMemory(GuestRam ram)
    {
        ArgumentNullException.ThrowIfNull(ram);
        foreach (var region in ram.Regions)
        {
            var error = AddMemory(region.GuestAddress, region.Length, region.FileOffset, ram.Fd);
            if (error != 0) throw new VmbusException($"The host refuses memory at 0x{region.GuestAddress:x}: errno {error}.");
        }
    }

    /// <summary>Shares a region of it.</summary>
    /// <returns>0 or an errno.</returns>
    public int AddMemory(ulong address, ulong length, ulong offset, int fd)
    {
        Socket.Send(WireKind.MemoryAdd, address, length, offset, fd: fd);
        return (int)Wait(WireKind.MemoryAck).B;
    }

    /// <summary>Takes a region back.</summary>
    /// <returns>0 or an errno.</returns>
    public int DeleteMemory(ulong address, ulong length)
    {
        Socket.Send(WireKind.MemoryDelete, address, length);
        return (int)Wait(WireKind.MemoryAck).B;
    }

    /// <summary>Asks for a version.</summary>
    /// <returns>Whether the host speaks it.</returns>
    public bool InitiateContact(uint version, ulong monitorPage = 0)
    {
        Offers.Clear();
        Span<byte> body = stackalloc byte[32];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, version);
        // Since 5.0: the interrupt source that messages go to.
        if (version >= 0x0005_0000) body[8] = 2;
        BinaryPrimitives.WriteUInt64LittleEndian(body[24..], monitorPage);
        Post(MessageKind.InitiateContact, body, version >= 0x0005_0000 ? 4u : 1u);
        var answer = Expect(MessageKind.VersionResponse);
        if (answer[8] == 0) return false;
        Version = version;
        return true;
    }

    /// <summary>Asks for the offers and waits until all are there.</summary>
    public void RequestOffers()
    {
        Post(MessageKind.RequestOffers, []);
        Expect(MessageKind.AllOffersDelivered);
    }

    /// <summary>Waits until a device has offered so many channels.</summary>
    public bool WaitForOffers(Guid instance, int count) => Pump(() => Offers.Count(o => o.Instance == instance) >= count);

    /// <summary>Describes a buffer of whole pages to the host.</summary>
    /// <returns>Its handle.</returns>
    /// <exception cref="VmbusException">The host refuses it.</exception>
    public uint CreateGpadl(uint relId, ReadOnlySpan<ulong> frames)
    {
        var handle = _nextGpadl++;
        var status = CreateGpadl(relId, handle, frames);
        return status == 0 ? handle : throw new VmbusException($"The host refuses a buffer of {frames.Length} pages: 0x{status:x}.");
    }

    /// <summary>As <see cref="CreateGpadl(uint, ReadOnlySpan{ulong})"/>, with a handle of the caller's.</summary>
    /// <returns>The host's status.</returns>
    public uint CreateGpadl(uint relId, uint handle, ReadOnlySpan<ulong> frames)
    {
        Span<byte> body = stackalloc byte[20 + (8 * FramesInBody)];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, relId);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], handle);
        BinaryPrimitives.WriteUInt16LittleEndian(body[8..], (ushort)(8 + (8 * frames.Length)));
        BinaryPrimitives.WriteUInt16LittleEndian(body[10..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(body[12..], (uint)(frames.Length * 4096));
        var first = frames[..Math.Min(FramesInHeader, frames.Length)];
        WriteFrames(body[20..], first);
        Post(MessageKind.GpadlHeader, body[..(20 + (8 * first.Length))]);
        for (var rest = frames[first.Length..]; rest.Length > 0;)
        {
            var next = rest[..Math.Min(FramesInBody, rest.Length)];
            // Linux numbers all of them 0.
            BinaryPrimitives.WriteUInt32LittleEndian(body, 0);
            BinaryPrimitives.WriteUInt32LittleEndian(body[4..], handle);
            WriteFrames(body[8..], next);
            Post(MessageKind.GpadlBody, body[..(8 + (8 * next.Length))]);
            rest = rest[next.Length..];
        }
        return BinaryPrimitives.ReadUInt32LittleEndian(Expect(MessageKind.GpadlCreated).AsSpan(16));
    }

    /// <summary>Takes a buffer back and waits until the host no longer uses it.</summary>
    public void TearDownGpadl(uint relId, uint handle)
    {
        Post(MessageKind.GpadlTeardown, Words(relId, handle));
        Expect(MessageKind.GpadlTorndown);
    }

    /// <summary>Opens a channel.</summary>
    /// <returns>The host's status.</returns>
    public uint OpenChannel(uint relId, uint ringGpadl, uint downstreamPage, uint vp = 0)
    {
        Span<byte> body = stackalloc byte[140];
        body.Clear();
        Words(relId, relId, ringGpadl, vp, downstreamPage).CopyTo(body);
        Post(MessageKind.Open, body);
        return BinaryPrimitives.ReadUInt32LittleEndian(Expect(MessageKind.OpenResult).AsSpan(16));
    }

    /// <summary>Closes a channel: there is no answer.</summary>
    public void CloseChannel(uint relId) => Post(MessageKind.Close, Words(relId));

    /// <summary>Gives a rescinded channel's number back.</summary>
    public void ReleaseRelId(uint relId) => Post(MessageKind.RelIdReleased, Words(relId));

    /// <summary>Leaves the bus in order.</summary>
    public void Unload()
    {
        Post(MessageKind.Unload, []);
        Expect(MessageKind.UnloadResponse);
        Offers.Clear();
    }

    /// <summary>Posts a message.</summary>
    public void Post(MessageKind type, ReadOnlySpan<byte> body, uint? connection = null)
    {
        Span<byte> message = stackalloc byte[8 + body.Length];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)type);
        body.CopyTo(message[8..]);
        Socket.Send(WireKind.PostMessage, connection ?? (Version >= 0x0005_0000 ? 4u : 1u), payload: message);
    }

    /// <summary>Waits for a message of a kind; others are taken note of on the way.</summary>
    /// <exception cref="VmbusException">It does not come.</exception>
    public byte[] Expect(MessageKind type) => TryExpect(type, Socket.Timeout) ?? throw new VmbusException($"The host does not send {type}.");

    /// <summary>As <see cref="Expect"/>; null when it does not come in time.</summary>
    public byte[]? TryExpect(MessageKind type, TimeSpan timeout)
    {
        byte[]? found = null;
        Pump(() => (found = Take(type)) is not null, timeout);
        return found;
    }

    /// <summary>Handles what is there.</summary>
    public void Pump()
    {
        while (Socket.TryReceive() is { } packet) Note(packet);
    }

    /// <summary>Whether a channel's event was set by message since the last call.</summary>
    public bool TakeEvent(uint relId) => _events.Remove(relId);

    /// <summary>Little-endian words.</summary>
    public static byte[] Words(params ReadOnlySpan<uint> words)
    {
        var bytes = new byte[4 * words.Length];
        for (var i = 0; i < words.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), words[i]);
        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => Socket.Dispose();

    private static void WriteFrames(Span<byte> bytes, ReadOnlySpan<ulong> frames)
    {
        for (var i = 0; i < frames.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], frames[i]);
    }

    private bool Pump(Func<bool> done, TimeSpan? timeout = null)
    {
        var limit = timeout ?? Socket.Timeout;
        for (var start = Stopwatch.GetTimestamp(); !done();)
        {
            var left = limit - Stopwatch.GetElapsedTime(start);
            if (left <= TimeSpan.Zero || Socket.Receive(left) is not { } packet) return false;
            Note(packet);
        }
        return true;
    }

    private WirePacket Wait(WireKind kind)
    {
        while (Socket.Receive(Socket.Timeout) is { } packet)
        {
            if (packet.Kind == kind) return packet;
            Note(packet);
        }
        throw new VmbusException($"The host does not answer with {kind}.");
    }

    private void Note(WirePacket packet)
    {
        if (packet.Kind == WireKind.SetEvent) _events.Add((uint)packet.A);
        if (packet.Kind != WireKind.SynicMessage) return;
        var message = packet.Payload;
        switch ((MessageKind)BinaryPrimitives.ReadUInt32LittleEndian(message))
        {
            case MessageKind.Offer:
                Offers.Add(new ChannelOffer(
                    BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(184)),
                    BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(192)),
                    new Guid(message.AsSpan(24, 16)),
                    BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(180)),
                    message[189] != 0 ? message[188] : null));
                break;
            case MessageKind.Rescind:
                var relId = BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(8));
                Offers.RemoveAll(o => o.RelId == relId);
                Rescinded.Add(relId);
                break;
            default:
                _messages.Add(message);
                break;
        }
    }

    private byte[]? Take(MessageKind type)
    {
        var at = _messages.FindIndex(m => BinaryPrimitives.ReadUInt32LittleEndian(m) == (uint)type);
        if (at < 0) return null;
        var message = _messages[at];
        _messages.RemoveAt(at);
        return message;
    }
}

/// <summary>VMBus messages, as the guest knows them.</summary>
public enum MessageKind : uint
{
    Offer = 1,
    Rescind = 2,
    RequestOffers = 3,
    AllOffersDelivered = 4,
    Open = 5,
    OpenResult = 6,
    Close = 7,
    GpadlHeader = 8,
    GpadlBody = 9,
    GpadlCreated = 10,
    GpadlTeardown = 11,
    GpadlTorndown = 12,
    RelIdReleased = 13,
    InitiateContact = 14,
    VersionResponse = 15,
    Unload = 16,
    UnloadResponse = 17,
    Modify = 22,
    ModifyResponse = 24,
}
