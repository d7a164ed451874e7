using System.Buffers.Binary;
using System.Runtime.InteropServices;
using NicHost.Linux;
using NicHost.Probe.Netvsc;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>
/// Stands between QEMU's ivshmem-doorbell device and the VMBus socket, for one guest with nichost_hv.ko in it. Control messages pass through
/// here; signals do not: QEMU's eventfds are handed to the host. Guest memory is the very memfd that QEMU made, sealed by it.
/// </summary>
internal sealed unsafe class VmbusBridge : IDisposable
{
    private const int Vectors = 32;
    private const int Slots = 256;
    private const int SlotSize = 256;
    private const int SharedSize = 1 << 20;
    private const int ToHost = 0x10000;
    private const int ToGuest = 0x20000;
    private const int VectorTable = 64;
    private const uint Magic = 0x4e484856;
    private const long QemuPeer = 0;
    private const long OurPeer = 1;
    private const uint Offer = 1;
    private const uint RelIdReleased = 13;

    private readonly string _vmbus;
    private readonly ulong _ramSize;
    private readonly Fd _listener;
    private readonly Fd _page;
    private readonly byte* _shared;
    private readonly EventFd[] _fromGuest;
    private readonly EventFd[] _toGuest;
    private readonly EventFd _stop = new();
    private readonly Thread _thread;
    private string? _failure;

    /// <param name="vmbus">The host's socket.</param>
    /// <param name="ivshmem">Where QEMU's device connects.</param>
    /// <param name="ramSize">Bytes of guest memory, all below the hole of PCI.</param>
    public VmbusBridge(string vmbus, string ivshmem, ulong ramSize)
    {
        _vmbus = vmbus;
        _ramSize = ramSize;
        _listener = UnixSocket.Listen(ivshmem);
        _page = VirtualMemory.CreateMemoryFile("nichost-ivshmem", SharedSize);
        _shared = (byte*)VirtualMemory.MapSharedFile(_page.Raw, 0, SharedSize, Protection.ReadWrite).OrThrow("map the shared page");
        Word(0) = Magic;
        _fromGuest = [.. Enumerable.Range(0, Vectors).Select(_ => new EventFd())];
        _toGuest = [.. Enumerable.Range(0, Vectors).Select(_ => new EventFd())];
        _thread = new Thread(Run) { IsBackground = true, Name = "vmbus bridge" };
        _thread.Start();
    }

    /// <summary>Control messages of the guest and for it.</summary>
    public (long Up, long Down) Messages { get; private set; }

    /// <summary>Why it ended, if it did before its time.</summary>
    public string? Failure => Volatile.Read(ref _failure);

    public void Dispose()
    {
        _stop.Signal();
        _thread.Join(TimeSpan.FromSeconds(5));
        foreach (var fd in _fromGuest.Concat(_toGuest)) fd.Dispose();
        VirtualMemory.Unmap((nint)_shared, SharedSize);
        _page.Dispose();
        _listener.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        try
        {
            if (!Await(_listener.Raw)) return;
            using var qemu = new Fd((int)UnixSocket.Accept(_listener.Raw).OrThrow("accept QEMU"));
            using var host = new VmbusSocket(_vmbus, TimeSpan.FromSeconds(10));
            Attach(host, qemu);
            Introduce(qemu);
            while (Turn(host, qemu))
            {
                // Until somebody leaves.
            }
        }
        catch (Exception e) when (e is VmbusException or LinuxException or IOException)
        {
            Volatile.Write(ref _failure, e.Message);
        }
    }

    private bool Await(int fd)
    {
        Span<PollFd> waits = [new() { Fd = fd, Events = PollEvents.In }, new() { Fd = _stop.Raw, Events = PollEvents.In }];
        Io.Poll(waits, -1);
        return waits[1].Returned == PollEvents.None;
    }

    /// <summary>Says hello and shares the memory that QEMU has made by the time it connects.</summary>
    private void Attach(VmbusSocket host, Fd qemu)
    {
        host.Send(WireKind.Hello, 1);
        Expect(host, WireKind.HelloAck);
        UnixSocket.GetPeer(qemu.Raw, out var peer).OrThrow("ask for QEMU's process");
        var memory = new DirectoryInfo($"/proc/{peer.ProcessId}/fd").EnumerateFileSystemInfos()
            .FirstOrDefault(f => f.LinkTarget?.StartsWith("/memfd:memory-backend-memfd", StringComparison.Ordinal) == true)
            ?? throw new IOException("QEMU has no memory-backend-memfd.");
        using var file = File.Open(memory.FullName, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        host.Send(WireKind.MemoryAdd, 0, _ramSize, 0, fd: (int)file.SafeFileHandle.DangerousGetHandle());
        var ack = Expect(host, WireKind.MemoryAck);
        if (ack.B != 0) throw new IOException($"The host refuses the guest's memory: errno {ack.B}.");
    }

    private static WirePacket Expect(VmbusSocket host, WireKind kind) =>
        host.Receive(host.Timeout) is { } packet && packet.Kind == kind ? packet : throw new IOException($"The host does not answer with {kind}.");

    /// <summary>The ivshmem server's protocol: version, the client's number, the page, then everybody's vectors.</summary>
    private void Introduce(Fd qemu)
    {
        SendNumber(qemu, 0, -1);
        SendNumber(qemu, QemuPeer, -1);
        SendNumber(qemu, -1, _page.Raw);
        foreach (var fd in _fromGuest) SendNumber(qemu, OurPeer, fd.Raw);
        foreach (var fd in _toGuest) SendNumber(qemu, QemuPeer, fd.Raw);
    }

    private static void SendNumber(Fd qemu, long number, int fd)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        while (UnixSocket.SendWithFds(qemu.Raw, bytes, fd < 0 ? [] : [fd]) is var sent && !sent.Ok)
        {
            if (!sent.WouldBlock) sent.OrThrow("send to QEMU");
            Io.Poll(qemu.Raw, PollEvents.Out, 100);
        }
    }

    private bool Turn(VmbusSocket host, Fd qemu)
    {
        Span<PollFd> waits =
        [
            new() { Fd = host.Raw, Events = PollEvents.In }, new() { Fd = _fromGuest[0].Raw, Events = PollEvents.In },
            new() { Fd = qemu.Raw, Events = PollEvents.In }, new() { Fd = _stop.Raw, Events = PollEvents.In },
        ];
        Io.Poll(waits, -1);
        if (waits[3].Returned != PollEvents.None || waits[2].Returned != PollEvents.None) return false;
        if (waits[1].Returned != PollEvents.None)
        {
            _fromGuest[0].Drain();
            PassUp(host);
        }
        while (host.TryReceive() is { } packet)
        {
            if (packet.Kind == WireKind.SynicMessage) PassDown(host, packet.Payload);
        }
        return true;
    }

    private void PassUp(VmbusSocket host)
    {
        // Indexes in the shared page: head and tail towards the host, then towards the guest.
        for (var tail = Word(8); tail != Volatile.Read(ref Word(4)); Volatile.Write(ref Word(8), ++tail))
        {
            var slot = _shared + ToHost + (tail % Slots * SlotSize);
            var message = new ReadOnlySpan<byte>(slot + 8, (int)Math.Min(*(uint*)slot, 240));
            if (message.Length >= 12 && MemoryMarshal.Read<uint>(message) == RelIdReleased) Forget(MemoryMarshal.Read<uint>(message[8..]));
            host.Send(WireKind.PostMessage, *(uint*)(slot + 4), payload: message);
            Messages = Messages with { Up = Messages.Up + 1 };
        }
    }

    private void PassDown(VmbusSocket host, ReadOnlySpan<byte> message)
    {
        if (MemoryMarshal.Read<uint>(message) == Offer) AssignVector(host, MemoryMarshal.Read<uint>(message[184..]), MemoryMarshal.Read<uint>(message[192..]));
        var head = Word(12);
        if (head - Volatile.Read(ref Word(16)) >= Slots) throw new IOException("The guest does not read its messages.");
        var slot = _shared + ToGuest + (head % Slots * SlotSize);
        *(int*)slot = message.Length;
        message.CopyTo(new Span<byte>(slot + 8, 240));
        Volatile.Write(ref Word(12), head + 1);
        _toGuest[0].Signal();
        Messages = Messages with { Down = Messages.Down + 1 };
    }

    /// <summary>A channel was offered: it gets a vector, whose eventfds go to the host before the guest can open it.</summary>
    private void AssignVector(VmbusSocket host, uint relId, uint connection)
    {
        for (var vector = 1; vector < Vectors; vector++)
        {
            if (Entry(vector, 0) != 0) continue;
            Entry(vector, 1) = connection;
            Entry(vector, 2) = relId;
            Volatile.Write(ref Entry(vector, 0), 1);
            host.Send(WireKind.EventFd, connection, fd: _fromGuest[vector].Raw);
            host.Send(WireKind.GuestFd, relId, fd: _toGuest[vector].Raw);
            return;
        }
        throw new IOException("More channels than vectors.");
    }

    private void Forget(uint relId)
    {
        for (var vector = 1; vector < Vectors; vector++)
        {
            if (Entry(vector, 0) != 0 && Entry(vector, 2) == relId) Volatile.Write(ref Entry(vector, 0), 0);
        }
    }

    // SAFETY: constants and vectors below Vectors, within the mapping.
    private ref uint Word(int offset) => ref *(uint*)(_shared + offset);

    private ref uint Entry(int vector, int field) => ref *(uint*)(_shared + VectorTable + (vector * 16) + (field * 4));
}
