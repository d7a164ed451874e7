using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Fuzz.Engine;
using NicHost.Testing;

namespace NicHost.Fuzz.Targets;

/// <summary>
/// A whole NAT: the input is a sequence of frames with offload records, of time that passes, of buffers that run out, of queues that close. On
/// the host's loopback an echo service answers, and segments can be made to fit the flow, so that established flows are reached, too.
/// </summary>
internal sealed class ConsommeTarget : FuzzTarget
{
    private const byte Frame = 0;
    private const byte Offloaded = 1;
    private const byte Time = 2;
    private const byte Buffers = 3;
    private const byte Reopen = 4;
    private const byte Service = 5;
    private const byte Repair = 0x40;
    private const byte Fit = 0x80;

    private readonly EchoService? _echo = Isolation.IsClosed ? new EchoService() : null;
    private readonly ManualTime _time = new();
    private readonly TxBuilder _tx = new();
    private int _runs;
    private int _baseline;

    public override string Name => "consomme";

    public override int MaxLength => 8192;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        [10, 0, 2, 2], [10, 0, 2, 3], [10, 0, 2, 255], [127, 0, 0, 1], [255, 255, 255, 255], [224, 0, 0, 1], [0, 0, 0, 0],
        [0x20, 0], [0x1f, 0xff], [0x60, 0], [Frame | Repair], [Frame | Repair | Fit], [Time, 0xff, 0xff], [Service], [Reopen], [Buffers, 0],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var script = new ScriptReader(input);
        using (var nat = new NatUnderTest((byte)(script.Byte() & (Isolation.IsClosed ? 0xff : ~2)), _time))
        {
            for (var steps = 0; !script.IsAtEnd && steps < 400; steps++) Step(ref script, nat);
            nat.Settle();
        }
        if (++_runs % 32 != 0) return;
        _echo?.Reset();
        var open = DeviceRig.Descriptors();
        if (_baseline == 0) _baseline = open;
        Require(open <= _baseline + 8, $"{open} descriptors are open, {_baseline} were.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("boot", Script().Add(GuestFrames.DhcpDiscover()).Add(GuestFrames.DhcpRequest()).Add(GuestFrames.Arp()).Add(GuestFrames.RouterSolicitation())
            .Add(GuestFrames.NeighborSolicitation()).Add(GuestFrames.Dhcp6Solicit()).Add(GuestFrames.Echo4()).Add(GuestFrames.Echo6()).ToArray());
        yield return ("udp", Script().Add(GuestFrames.Udp4(7, "hello"u8)).Add(GuestFrames.Udp6(7, "hello"u8)).Op(Service).Add(GuestFrames.Udp4(9, "closed"u8)).ToArray());
        yield return ("dns", Script().Add(GuestFrames.Udp4(53, GuestFrames.DnsQuery("host.test", 1), GuestFrames.DnsV4))
            .Add(GuestFrames.Udp4(53, GuestFrames.DnsQuery("example.org", 28), GuestFrames.DnsV4)).Op(Service).ToArray());
        yield return ("tcp", Tcp().ToArray());
        yield return ("tcp-reset", Tcp().Add(GuestFrames.Tcp4(0x14, default, 1006, 1), Fit).Op(Service).ToArray());
        yield return ("tcp-close", Tcp().Add(GuestFrames.Tcp4(0x11, default, 1006, 6), Fit).Op(Service).Add(GuestFrames.Tcp4(0x10, default, 1007, 7), Fit).Wait(60_000).ToArray());
        yield return ("tcp-refused", Script().Add(GuestFrames.Tcp4(2, port: 9)).Op(Service).ToArray());
        yield return ("fragments", Fragments().ToArray());
        yield return ("error", Script().Add(GuestFrames.Ip4(1, [3, 3, 0, 0, 0, 0, 0, 0, .. GuestFrames.Udp4(7, "x"u8)[14..]])).ToArray());
    }

    public override void Dispose()
    {
        _echo?.Dispose();
        _tx.Dispose();
        base.Dispose();
    }

    private static SeedScript Script() => new();

    private static SeedScript Tcp() => Script().Add(GuestFrames.Tcp4(2)).Op(Service).Add(GuestFrames.Tcp4(0x10, default, 1001, 1), Fit)
        .Add(GuestFrames.Tcp4(0x18, "hello"u8, 1001, 1), Fit).Op(Service).Add(GuestFrames.Tcp4(0x10, default, 1006, 6), Fit).Wait(300);

    private static SeedScript Fragments()
    {
        var whole = GuestFrames.Udp4(7, new byte[40])[34..];
        byte[] First(byte[] part, ushort field)
        {
            var frame = GuestFrames.Ip4(17, part);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(20), field);
            return frame;
        }
        return Script().Add(First(whole[..24], 0x2000)).Add(First(whole[24..], 3)).Add(First(whole[..24], 0x2000)).Add(First(whole[16..], 2)).Wait(31_000);
    }

    private void Step(ref ScriptReader script, NatUnderTest nat)
    {
        var op = script.Byte();
        switch (op & 0x3f)
        {
            case Frame: Send(ref script, nat, op, default); break;
            case Offloaded: Send(ref script, nat, op, ReadOffload(ref script)); break;
            case Time:
                _time.Advance(script.Word() * 8L);
                nat.Settle();
                break;
            case Buffers: nat.Device.Withheld = script.Byte() % 2 == 0 ? int.MaxValue : 0; nat.RoomAgain(); break;
            case Reopen: nat.Reopen(); break;
            default:
                _echo?.Serve();
                nat.Settle();
                break;
        }
    }

    private void Send(ref ScriptReader script, NatUnderTest nat, byte op, FrameOffload offload)
    {
        var frame = script.Block(script.Word() & 0x1fff).ToArray();
        // A device gives the endpoint no shorter frame.
        if (frame.Length < FrameLimits.EthernetHeader) return;
        if ((op & Fit) != 0) nat.FitToFlow(frame);
        if (!Isolation.IsClosed) FrameRepair.KeepHere(frame);
        if ((op & (Repair | Fit)) != 0) FrameRepair.Checksums(frame, offload.Checksum == ChecksumState.Partial);
        _tx.Add(frame, offload, frame.Length > 64 ? 1 + (frame.Length / 3) : int.MaxValue);
        var taken = _tx.TransmitTo(nat.Queue);
        Require(taken is 0 or 1, "Took more than there was.");
        nat.Settle();
    }

    private static FrameOffload ReadOffload(ref ScriptReader script)
    {
        var kinds = script.Byte();
        return new FrameOffload
        {
            Checksum = (kinds & 3) == 3 ? ChecksumState.Partial : (ChecksumState)(kinds & 3),
            Gso = (GsoKind)((kinds >> 2) & 3),
            Flags = (FrameFlags)((kinds >> 4) & 7),
            ChecksumStart = script.Byte(),
            ChecksumOffset = script.Byte(),
            SegmentSize = script.Word(),
            HeaderLength = script.Byte(),
        };
    }

    private sealed class SeedScript
    {
        private readonly ScriptWriter _writer = new ScriptWriter().Byte(3);

        public SeedScript Add(byte[] frame, byte how = Repair)
        {
            _writer.Byte(Frame | how).Word(frame.Length).Block(frame);
            return this;
        }

        public SeedScript Op(byte op)
        {
            _writer.Byte(op);
            return this;
        }

        public SeedScript Wait(int milliseconds)
        {
            _writer.Byte(Time).Word(milliseconds / 8);
            return this;
        }

        public byte[] ToArray() => _writer.ToArray();
    }
}
