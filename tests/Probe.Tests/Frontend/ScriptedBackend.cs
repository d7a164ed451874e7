using System.Buffers.Binary;
using System.Collections.Concurrent;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Frontend;

/// <summary>
/// A vhost-user back-end of a few lines, with a stack of its own behind the rings: what the front-end is tested against where no
/// product is wanted. Its own thread; one queue pair.
/// </summary>
internal sealed unsafe partial class ScriptedBackend : IDisposable, ILink
{
    private readonly VirtioFeatures _offer;
    private readonly ProtocolFeatures _protocol;
    private readonly Thread _thread;
    private readonly Fd _listener;
    private readonly List<(ulong Gpa, ulong Uva, ulong Length, MappedFile Map)> _regions = [];
    private readonly DeviceRing[] _rings = [new(), new()];
    private volatile bool _stop;
    private int _socket = -1;
    private VirtioFeatures _features;

    public ScriptedBackend(VirtioFeatures offer, ProtocolFeatures protocol = ProtocolFeatures.ReplyAck)
    {
        _offer = offer | VirtioFeatures.ProtocolFeatures | VirtioFeatures.Version1;
        _protocol = protocol;
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nichost-probe-{Environment.ProcessId}-{Guid.NewGuid():N}.sock"[..40]);
        _listener = UnixSocket.Listen(Path);
        Stack = new ProbeStack(this) { Address4 = Ip.Parse("10.0.0.2"), Address6 = Ip.Parse("fd00::2") };
        _thread = new Thread(Run) { IsBackground = true };
        _thread.Start();
    }

    public string Path { get; }

    public ProbeStack Stack { get; }

    public ConcurrentQueue<string> Seen { get; } = new();

    public Exception? Failure { get; private set; }

    public MacAddress Mac { get; } = MacAddress.Derive(new NicIdentity("scripted", "backend"));

    public int Mtu => 1500;

    public OffloadSet TxOffloads => (_features & VirtioFeatures.GuestTso4) != 0 ? OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6 : OffloadSet.None;

    public void Dispose()
    {
        _stop = true;
        _thread.Join(TimeSpan.FromSeconds(5));
        _listener.Dispose();
        UnixSocket.Unlink(Path);
    }

    private void Run()
    {
        try
        {
            while (!_stop)
            {
                if (_socket < 0) Accept();
                else Serve();
            }
        }
        catch (Exception e)
        {
            Failure = e;
        }
        Close();
    }

    private void Accept()
    {
        if (Io.Poll(_listener.Raw, PollEvents.In, 20) == PollEvents.None) return;
        _socket = UnixSocket.Accept(_listener.Raw).Fd;
    }

    private void Serve()
    {
        PollFd[] fds =
        [
            new() { Fd = _socket, Events = PollEvents.In },
            new() { Fd = _rings[0].Kick, Events = PollEvents.In },
            new() { Fd = _rings[1].Kick, Events = PollEvents.In },
        ];
        Io.Poll(fds, 2);
        if (fds[1].Returned != PollEvents.None) EventFd.Drain(_rings[0].Kick);
        if (fds[2].Returned != PollEvents.None) EventFd.Drain(_rings[1].Kick);
        if (_rings[1].Running) Transmit(_rings[1]);
        if (_rings[0].Running) Stack.Poll();
        if (fds[0].Returned != PollEvents.None) Message();
    }

    private void Message()
    {
        Span<byte> header = stackalloc byte[12];
        Span<int> fds = stackalloc int[8];
        var got = UnixSocket.ReceiveWithFds(_socket, header, fds, out var fdCount, out _);
        if (got.Count != 12)
        {
            Close();
            return;
        }
        var request = (VhostRequest)BinaryPrimitives.ReadUInt32LittleEndian(header);
        var payload = new byte[BinaryPrimitives.ReadInt32LittleEndian(header[8..])];
        for (var have = 0; have < payload.Length;)
        {
            var part = Sockets.Receive(_socket, payload.AsSpan(have));
            if (part.Ok) have += part.Count;
        }
        Seen.Enqueue(request.ToString());
        var needReply = (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) & (uint)VhostFlags.NeedReply) != 0;
        var answer = Handle(request, payload, fds[..fdCount]);
        if (answer is null && needReply) answer = 0;
        if (answer is { } word) Reply(request, word);
    }

    private ulong? Handle(VhostRequest request, byte[] payload, ReadOnlySpan<int> fds)
    {
        var index = payload.Length >= 4 ? BinaryPrimitives.ReadInt32LittleEndian(payload) & 0xff : 0;
        var value = payload.Length >= 8 ? BinaryPrimitives.ReadUInt32LittleEndian(payload.AsSpan(4)) : 0;
        switch (request)
        {
            case VhostRequest.GetFeatures: return (ulong)_offer;
            case VhostRequest.GetProtocolFeatures: return (ulong)_protocol;
            case VhostRequest.SetFeatures: _features = (VirtioFeatures)BinaryPrimitives.ReadUInt64LittleEndian(payload); break;
            case VhostRequest.SetMemTable: MapMemory(payload, fds); break;
            case VhostRequest.SetVringNum: _rings[index].Size = (int)value; break;
            case VhostRequest.SetVringBase: _rings[index].Next = (ushort)value; break;
            case VhostRequest.SetVringAddr: SetAddresses(_rings[index], payload); break;
            case VhostRequest.SetVringCall: _rings[index].Call = fds[0]; break;
            case VhostRequest.SetVringKick: _rings[index].Kick = fds[0]; break;
            case VhostRequest.SetVringEnable: _rings[index].Running = value != 0; break;
            case VhostRequest.GetVringBase:
                _rings[index].Running = false;
                return (uint)index | ((ulong)_rings[index].Next << 32);
        }
        return null;
    }

    private void Reply(VhostRequest request, ulong value)
    {
        Span<byte> reply = stackalloc byte[20];
        BinaryPrimitives.WriteUInt32LittleEndian(reply, (uint)request);
        BinaryPrimitives.WriteUInt32LittleEndian(reply[4..], (uint)(VhostFlags.Version1 | VhostFlags.Reply));
        BinaryPrimitives.WriteUInt32LittleEndian(reply[8..], 8);
        BinaryPrimitives.WriteUInt64LittleEndian(reply[12..], value);
        Sockets.Send(_socket, reply);
    }

    private void MapMemory(byte[] payload, ReadOnlySpan<int> fds)
    {
        Unmap();
        for (var i = 0; i < fds.Length; i++)
        {
            var entry = payload.AsSpan(8 + (32 * i));
            var length = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            var map = MappedFile.Map(fds[i], BinaryPrimitives.ReadUInt64LittleEndian(entry[24..]), length);
            _regions.Add((BinaryPrimitives.ReadUInt64LittleEndian(entry), BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]), length, map));
            Io.Close(fds[i]);
        }
    }

    private void SetAddresses(DeviceRing ring, byte[] payload)
    {
        ring.Descriptors = (RingDescriptor*)FromUser(BinaryPrimitives.ReadUInt64LittleEndian(payload.AsSpan(8)));
        ring.Used = FromUser(BinaryPrimitives.ReadUInt64LittleEndian(payload.AsSpan(16)));
        ring.Avail = (ushort*)FromUser(BinaryPrimitives.ReadUInt64LittleEndian(payload.AsSpan(24)));
        ring.UsedNext = ((ushort*)ring.Used)[1];
    }

    private byte* FromUser(ulong address)
    {
        foreach (var (_, uva, length, map) in _regions) if (address - uva < length) return (byte*)map.Address + (address - uva);
        throw new InvalidDataException($"User address {address:x} is in no region.");
    }

    private byte* FromGuest(ulong address, uint length)
    {
        foreach (var (gpa, _, size, map) in _regions) if (address - gpa < size && address - gpa + length <= size) return (byte*)map.Address + (address - gpa);
        throw new InvalidDataException($"Guest address {address:x} is in no region.");
    }

    private void Unmap()
    {
        foreach (var region in _regions) region.Map.Dispose();
        _regions.Clear();
    }

    private void Close()
    {
        Io.Close(_socket);
        _socket = -1;
        foreach (var ring in _rings) ring.Reset();
        Unmap();
    }
}
