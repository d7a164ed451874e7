using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Loops;
using NicHost.Virtio.Net;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>A device on a loop that the test turns, with a scripted endpoint behind it and a folder for its socket.</summary>
internal sealed class Nic : IDisposable
{
    public const OffloadSet Everything = OffloadSet.Checksum | OffloadSet.AllGso;

    private readonly VirtioFactory _factory = new();
    private readonly int _queues;
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-virtio-").FullName;

    public Nic(int queues = 1, string extra = "", OffloadSet offloads = Everything, int mtu = 1500, Func<int, EventLoop>? loops = null)
    {
        Time = new FakeTimeProvider();
        Loop = new EventLoop("test", Time);
        Backend = new TestBackend(i => loops is null || i == 0 ? Loop : loops(i), queues, offloads);
        _queues = queues;
        Context = new DeviceContext
        {
            Nic = new NicIdentity("web", "eth0"),
            Mac = new MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
            Mtu = mtu,
            Options = Options(extra),
            BaseDirectory = _folder,
            Loop = Loop,
            Logging = NullLoggerFactory.Instance,
            Vm = null!,
        };
        Device = new VirtioDevice(Context, VirtioFactory.Read(Context), _ => Process);
    }

    public FakeTimeProvider Time { get; }
    public EventLoop Loop { get; }
    public TestBackend Backend { get; }
    public DeviceContext Context { get; private set; }
    public VirtioDevice Device { get; }
    public string Path => System.IO.Path.Combine(_folder, "nic.sock");

    /// <summary>The process that front-ends come from.</summary>
    public int Process { get; set; } = 100;

    public TestQueue Queue => Backend.Queues[0]!;

    public static Nic Started(int queues = 1, string extra = "", OffloadSet offloads = Everything, int mtu = 1500)
    {
        var nic = new Nic(queues, extra, offloads, mtu);
        nic.Device.Start(nic.Backend);
        return nic;
    }

    /// <summary>Other options while it runs, as the host gives them.</summary>
    public void Reconfigure(string extra)
    {
        var wanted = Context with { Options = Options(extra) };
        Assert.True(_factory.CanReconfigure(Context, wanted));
        Device.Reconfigure(wanted);
        Context = wanted;
    }

    public JsonElement Options(string extra) => JsonDocument.Parse(string.Create(
        CultureInfo.InvariantCulture, $$"""{"kind":"virtio","socket":"{{Path}}","queues":{{_queues}}{{extra}}}""")).RootElement;

    /// <summary>Time passes.</summary>
    public void Pass(long milliseconds)
    {
        Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        Turn();
    }

    /// <summary>Shows the guest another link state, as the host does.</summary>
    public void SetLink(LinkState link)
    {
        Backend.Link = link;
        Device.SetLink(link);
        Turn();
    }

    public void Turn() => Assert.True(Loop.RunUntilIdle(), "the loop does not come to rest");

    public FrontEnd Connect()
    {
        var front = new FrontEnd(UnixSocket.Connect(Path, UnixSocketType.Stream), Turn);
        Turn();
        return front;
    }

    public void Dispose()
    {
        var disposing = Device.DisposeAsync().AsTask();
        for (var i = 0; i < 100 && !disposing.IsCompleted; i++) Loop.RunOnce(10);
        Assert.True(disposing.IsCompletedSuccessfully, "the device does not stop");
        Loop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A guest with memory, rings and descriptors, attached the way QEMU does it.</summary>
internal sealed class Guest : IDisposable
{
    public const NetFeatures Modern = NetFeatures.Version1 | NetFeatures.ProtocolFeatures | NetFeatures.MrgRxbuf;
    public const int RingSize = 16;

    private ulong _next;

    /// <summary>A frame of the least length.</summary>
    public static readonly byte[] Frame = [.. Enumerable.Range(1, 60).Select(i => (byte)i)];

    public Guest(Nic nic, NetFeatures features = Modern, ProtocolFeatures protocol = ProtocolFeatures.ReplyAck, int pairs = 1, int ringSize = RingSize)
        : this(nic, nic.Connect(), features, protocol, pairs, ringSize)
    {
    }

    /// <summary>Over a connection that exists already.</summary>
    public Guest(Nic nic, FrontEnd front, NetFeatures features = Modern, ProtocolFeatures protocol = ProtocolFeatures.ReplyAck, int pairs = 1, int ringSize = RingSize)
    {
        Nic = nic;
        Features = features;
        Protocol = protocol;
        Memory = new GuestFile(8 << 20);
        _next = GuestFile.GuestBase;
        Front = front;
        Rings = [.. Enumerable.Range(0, pairs * 2).Select(_ => NewRing(ringSize))];
        Kicks = [.. Rings.Select(_ => new EventFd())];
        Calls = [.. Rings.Select(_ => new EventFd())];
    }

    public Nic Nic { get; }
    public NetFeatures Features { get; set; }
    public ProtocolFeatures Protocol { get; }
    public GuestFile Memory { get; }
    public FrontEnd Front { get; }
    public DriverRing[] Rings { get; }
    public EventFd[] Kicks { get; }
    public EventFd[] Calls { get; }
    public DriverRing Rx => Rings[0];
    public DriverRing Tx => Rings[1];
    public int HeaderSize => NetHeader.SizeFor(Features);

    /// <summary>Attached and running.</summary>
    public static Guest Running(Nic nic, NetFeatures features = Modern, int pairs = 1, int ringSize = RingSize)
    {
        var guest = new Guest(nic, features, pairs: pairs, ringSize: ringSize);
        guest.Negotiate();
        guest.StartAll();
        return guest;
    }

    public ulong Allocate(int bytes)
    {
        var at = (_next + 63) & ~63ul;
        _next = at + (ulong)bytes;
        Assert.True(_next <= GuestFile.GuestBase + (ulong)Memory.Size, "guest memory is used up");
        return at;
    }

    public void Negotiate()
    {
        Front.Send(Request.SetOwner);
        Front.Ask(Request.GetFeatures);
        Front.Ask(Request.GetProtocolFeatures);
        if (Features.HasFlag(NetFeatures.ProtocolFeatures)) Front.Send(Request.SetProtocolFeatures, (ulong)Protocol);
        Front.Send(Request.SetFeatures, (ulong)Features);
    }

    public byte[] Table() => FrontEnd.Words(1, GuestFile.GuestBase, (ulong)Memory.Size, GuestFile.UserBase, Memory.FileOffset);

    public void SendTable() => Front.Send(Request.SetMemTable, Table(), 0, Memory.File.Raw);

    public byte[] Addresses(int ring) => FrontEnd.Words(
        (ulong)ring, GuestFile.ToUser(Rings[ring].Descriptors), GuestFile.ToUser(Rings[ring].Used), GuestFile.ToUser(Rings[ring].Available), ulong.MaxValue);

    public void StartRing(int ring, uint start = 0)
    {
        Front.Send(Request.SetVringNum, FrontEnd.State((uint)ring, (uint)Rings[ring].Size));
        Front.Send(Request.SetVringBase, FrontEnd.State((uint)ring, start));
        Front.Send(Request.SetVringAddr, Addresses(ring));
        Front.Send(Request.SetVringKick, (ulong)ring, 0, Kicks[ring].Raw);
        Front.Send(Request.SetVringCall, (ulong)ring, 0, Calls[ring].Raw);
        // The back-end notifies once when the descriptor is new.
        Calls[ring].Drain();
    }

    public void StartAll()
    {
        SendTable();
        for (var i = 0; i < Rings.Length; i++) StartRing(i);
        if (!Features.HasFlag(NetFeatures.ProtocolFeatures)) return;
        for (var i = 0; i < Rings.Length; i++) Front.Send(Request.SetVringEnable, FrontEnd.State((uint)i, 1));
    }

    /// <summary>Makes a frame available on the tx ring, header in front, and kicks.</summary>
    public ushort Send(byte[] frame, NetHeader header = default, int ring = 1, bool kick = true)
    {
        var at = Allocate(HeaderSize + frame.Length);
        WriteHeader(at, header);
        frame.CopyTo(Memory.Span(at + (ulong)HeaderSize, frame.Length));
        var head = Rings[ring].Add((at, HeaderSize + frame.Length, false));
        if (kick) Kick(ring);
        return head;
    }

    public unsafe void WriteHeader(ulong at, NetHeader header) =>
        new ReadOnlySpan<byte>(&header, HeaderSize).CopyTo(Memory.Span(at, HeaderSize));

    /// <summary>A frame goes out, and one comes in.</summary>
    public void AssertPasses()
    {
        var before = Nic.Queue.Frames.Count;
        Send(Frame);
        Assert.Equal(before + 1, Nic.Queue.Frames.Count);
        var posted = Post(1, 2048);
        Kick(0);
        Assert.True(Nic.Queue.Deliver(Frame));
        var used = Rx.TakeAll();
        Assert.Equal(Frame.Length + HeaderSize, used[^1].Length);
        Assert.Contains(used[^1].Head, posted.Keys);
        Tx.TakeAll();
    }

    public void Kick(int ring)
    {
        Kicks[ring].Signal();
        Nic.Turn();
    }

    /// <summary>Posts receive buffers of a size; their addresses by chain.</summary>
    public Dictionary<ushort, ulong> Post(int count, int size, int ring = 0)
    {
        var posted = new Dictionary<ushort, ulong>();
        for (var i = 0; i < count; i++)
        {
            var at = Allocate(size);
            posted[Rings[ring].Add((at, size, true))] = at;
        }
        return posted;
    }

    public NetHeader ReadHeader(ulong at) => System.Runtime.InteropServices.MemoryMarshal.Read<NetHeader>(Memory.Span(at, NetHeader.FullSize));

    private DriverRing NewRing(int size)
    {
        var ring = new DriverRing(Memory, Allocate(16), size, Features.HasFlag(NetFeatures.EventIdx));
        Allocate((int)(ring.End - ring.Descriptors));
        return ring;
    }

    public void Dispose()
    {
        Front.Dispose();
        foreach (var fd in Kicks.Concat(Calls)) fd.Dispose();
        Memory.Dispose();
    }
}
