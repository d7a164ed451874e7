using System.Buffers.Binary;
using NicHost.Linux;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>A client of the VMBus socket for scripts: sends any packet with any descriptor, notes what comes, never waits.</summary>
internal sealed unsafe class BusGuest : IDisposable
{
    public const uint RingHandle = 0x100;
    public const uint ReceiveHandle = 0x200;
    public const uint SendHandle = 0x201;

    private const int FramesInHeader = 26;
    private const int FramesInBody = 28;

    private readonly DeviceRig _rig;
    private readonly byte[] _packet = new byte[512];

    public BusGuest(DeviceRig rig, BusMemory memory)
    {
        (_rig, Memory) = (rig, memory);
        Socket = UnixSocket.Connect(rig.Socket, UnixSocketType.SeqPacket);
        Io.SetNonBlocking(Socket.Raw, true);
        // It is accepted before the next one knocks.
        rig.Turn();
    }

    public Fd Socket { get; }

    public BusMemory Memory { get; }

    /// <summary>Relid and connection of each channel that is offered, by its index.</summary>
    public SortedDictionary<int, (uint RelId, uint Connection)> Channels { get; } = [];

    /// <summary>Relids that were taken back.</summary>
    public List<uint> Rescinded { get; } = [];

    public void Send(WireKind kind, ulong a = 0, ulong b = 0, ulong c = 0, ReadOnlySpan<byte> payload = default, int fd = -1)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_packet, (uint)kind);
        BinaryPrimitives.WriteInt32LittleEndian(_packet.AsSpan(4), payload.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(_packet.AsSpan(8), a);
        BinaryPrimitives.WriteUInt64LittleEndian(_packet.AsSpan(16), b);
        BinaryPrimitives.WriteUInt64LittleEndian(_packet.AsSpan(24), c);
        payload.CopyTo(_packet.AsSpan(32));
        UnixSocket.SendWithFds(Socket.Raw, _packet.AsSpan(0, 32 + payload.Length), fd < 0 ? [] : [fd]);
    }

    /// <summary>Posts a VMBus message.</summary>
    public void Post(MessageKind kind, params ReadOnlySpan<uint> words) => PostBytes(kind, VmbusClient.Words(words));

    public void PostBytes(MessageKind kind, ReadOnlySpan<byte> body)
    {
        Span<byte> message = stackalloc byte[8 + 232];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)kind);
        body = body[..Math.Min(body.Length, 232)];
        body.CopyTo(message[8..]);
        Send(WireKind.PostMessage, 1, payload: message[..(8 + body.Length)]);
    }

    /// <summary>Hello, memory, version, offers.</summary>
    public void Attach(uint version, bool pollsMonitor = false)
    {
        Send(WireKind.Hello, 1);
        foreach (var (address, length, offset) in BusMemory.Regions) Send(WireKind.MemoryAdd, address, length, offset, fd: Memory.File.Raw);
        if (pollsMonitor) Send(WireKind.Monitor, 2);
        Contact(version);
        Turn();
    }

    /// <summary>A kernel that begins, or begins anew.</summary>
    public void Contact(uint version)
    {
        Channels.Clear();
        Post(MessageKind.InitiateContact, version, 0, 2, 0, 0, 0, (uint)BusMemory.GuestBase + (BusMemory.MonitorPage * BusMemory.PageSize), 0);
        Post(MessageKind.RequestOffers);
    }

    /// <summary>Describes pages that lie in a row.</summary>
    public void CreateGpadl(uint relId, uint handle, int first, int count)
    {
        var body = new byte[20 + (8 * FramesInBody)];
        VmbusClient.Words(relId, handle, (uint)(8 + (8 * count)) | 0x1_0000, (uint)(count * BusMemory.PageSize), 0).CopyTo(body, 0);
        var now = Math.Min(count, FramesInHeader);
        Frames(body.AsSpan(20), first, now);
        PostBytes(MessageKind.GpadlHeader, body.AsSpan(0, 20 + (8 * now)));
        for (var done = now; done < count; done += now)
        {
            now = Math.Min(count - done, FramesInBody);
            VmbusClient.Words(0, handle).CopyTo(body, 0);
            Frames(body.AsSpan(8), first + done, now);
            PostBytes(MessageKind.GpadlBody, body.AsSpan(0, 8 + (8 * now)));
        }
    }

    /// <summary>Lets the NIC work and takes note of what it says.</summary>
    public void Turn()
    {
        _rig.Turn();
        for (; ; )
        {
            var got = Sockets.Receive(Socket.Raw, _packet);
            if (!got.Ok || got.Count < 32) return;
            Note((WireKind)BinaryPrimitives.ReadUInt32LittleEndian(_packet), _packet.AsSpan(32, (int)got.Count - 32));
        }
    }

    public void Dispose() => Socket.Dispose();

    private static void Frames(Span<byte> bytes, int first, int count)
    {
        for (var i = 0; i < count; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], BusMemory.Frame(first + i));
    }

    private void Note(WireKind kind, ReadOnlySpan<byte> message)
    {
        if (kind != WireKind.SynicMessage) return;
        switch ((MessageKind)BinaryPrimitives.ReadUInt32LittleEndian(message))
        {
            case MessageKind.Offer:
                Channels[BinaryPrimitives.ReadUInt16LittleEndian(message[180..])] =
                    (BinaryPrimitives.ReadUInt32LittleEndian(message[184..]), BinaryPrimitives.ReadUInt32LittleEndian(message[192..]));
                break;
            case MessageKind.Rescind:
                Rescinded.Add(BinaryPrimitives.ReadUInt32LittleEndian(message[8..]));
                break;
        }
    }
}
