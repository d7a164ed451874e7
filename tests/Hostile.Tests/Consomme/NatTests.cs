using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using NicHost.Contracts.Diagnostics;
using NicHost.Fuzz.Targets;
using NicHost.Hostile.Tests.Rig;
using NicHost.Testing;
using NicHost.Wire;

namespace NicHost.Hostile.Tests.Consomme;

/// <summary>A hostile guest against its NAT. Limits are small (8 flows, 4 half-open, 4 queries); all sockets stay on loopback.</summary>
public sealed class NatTests : IDisposable
{
    private readonly EchoService _echo = new(0);
    private readonly Socket _silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly ManualTime _time = new();
    private readonly TxBuilder _tx = new();
    private readonly NatUnderTest _nat;
    private readonly List<byte[]> _received = [];
    private readonly int _descriptors;

    public NatTests()
    {
        _silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _nat = new NatUnderTest(2, _time, ((IPEndPoint)_silent.LocalEndPoint!).Port) { Received = _received.Add };
        _descriptors = TwoNics.Descriptors();
    }

    [Fact]
    public void Flood_of_connections_is_bounded_and_counted_and_passes()
    {
        for (var i = 0; i < 2000; i++) Send(GuestFrames.Tcp4(2, port: _echo.TcpPort, from: (ushort)(10_000 + i)));
        Assert.InRange(_nat.Counters.TxDropped(DropReason.HalfOpenLimit), 1900, 2000);
        Assert.InRange(TwoNics.Descriptors() - _descriptors, 0, 30);
        // The guest never finishes them: their timers do.
        Pass(seconds: 400);
        _echo.Reset();
        AssertTcpEcho(from: 50_000);
    }

    [Fact]
    public void Flood_of_datagrams_from_ever_new_ports_is_bounded_and_the_newest_works()
    {
        for (var i = 0; i < 3000; i++) Send(GuestFrames.Udp4(_echo.UdpPort, "x"u8, from: (ushort)(10_000 + i)));
        Assert.InRange(TwoNics.Descriptors() - _descriptors, 0, 30);
        _echo.Serve();
        AssertUdpEcho(from: 60_000);
    }

    [Fact]
    public void Flood_of_questions_is_answered_with_a_failure_beyond_the_limit()
    {
        for (var i = 0; i < 500; i++)
            Send(GuestFrames.Udp4(53, GuestFrames.DnsQuery($"n{i}.example.org", 1), GuestFrames.DnsV4, (ushort)(10_000 + i)));
        var refused = _received.Count(f => f[12] == 8 && f[23] == 17 && BinaryPrimitives.ReadUInt16BigEndian(f.AsSpan(34)) == 53 && (f[45] & 15) == 2);
        Assert.InRange(refused, 490, 500);
        Assert.InRange(TwoNics.Descriptors() - _descriptors, 0, 30);
        AssertUdpEcho(from: 60_000);
    }

    [Fact]
    public void Flood_of_pings_is_bounded()
    {
        for (var i = 0; i < 1000; i++)
        {
            var frame = GuestFrames.Echo4(0x7f000001);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(38), (ushort)i);
            FrameRepair.Checksums(frame, partial: false);
            Send(frame);
        }
        Assert.InRange(TwoNics.Descriptors() - _descriptors, 0, 30);
        AssertUdpEcho(from: 60_000);
    }

    [Theory]
    [InlineData(0x0a00024d)]
    [InlineData(0x08080808)]
    [InlineData(0x7f000001)]
    [InlineData(0x0a000202)]
    [InlineData(0xe0000001)]
    public void Frame_with_anothers_address_is_dropped_and_counted(uint source)
    {
        Send(GuestFrames.Udp4(_echo.UdpPort, "x"u8, source: source));
        Assert.Equal(1, _nat.Counters.TxDropped(DropReason.Spoofed));
        AssertNothingReachedTheHost();
    }

    [Fact]
    public void Frame_from_another_MAC_address_is_dropped_and_counted()
    {
        var frame = GuestFrames.Udp4(_echo.UdpPort, "x"u8);
        frame[11] ^= 1;
        Send(frame);
        Assert.Equal(1, _nat.Counters.TxDropped(DropReason.Spoofed));
        AssertNothingReachedTheHost();
    }

    [Fact]
    public void Overlapping_fragments_never_become_a_datagram()
    {
        var whole = GuestFrames.Udp4(_echo.UdpPort, new byte[80])[34..];
        foreach (var (second, at) in new[] { (whole[16..], 2), (whole[32..], 1), (whole[40..], 5) })
        {
            Send(Fragment(whole[..48], 0, more: true, id: (ushort)(100 + at)));
            Send(Fragment(second, at, more: false, id: (ushort)(100 + at)));
        }
        Assert.Equal(3, _nat.Counters.TxDropped(DropReason.Fragment));
        AssertNothingReachedTheHost();
        // Honest ones do, and those given up leave after their time.
        Send(Fragment(whole[..48], 0, more: true, id: 7));
        Send(Fragment(whole[48..], 6, more: false, id: 7));
        _echo.Serve();
        _nat.Settle();
        Assert.Contains(_received, f => f.Length == 34 + 88);
    }

    [Fact]
    public void Fragments_without_end_are_bounded()
    {
        for (var i = 0; i < 3000; i++) Send(Fragment(new byte[64], i % 100, more: true, id: (ushort)i));
        Pass(seconds: 40);
        AssertUdpEcho(from: 60_000);
    }

    [Fact]
    public void Every_cut_of_every_frame_is_survived_and_none_reaches_the_host()
    {
        byte[][] whole =
        [
            GuestFrames.Arp(), GuestFrames.DhcpDiscover(), GuestFrames.DhcpRequest(), GuestFrames.Dhcp6Solicit(), GuestFrames.NeighborSolicitation(), GuestFrames.RouterSolicitation(),
            GuestFrames.Echo6(), GuestFrames.Udp4(_echo.UdpPort, "hello"u8), GuestFrames.Tcp4(2, port: _echo.TcpPort), GuestFrames.Udp4(53, GuestFrames.DnsQuery("a.b", 1), GuestFrames.DnsV4),
        ];
        foreach (var frame in whole)
        {
            for (var length = 14; length < frame.Length; length++) Send(frame[..length]);
        }
        var drops = Enum.GetValues<DropReason>().Sum(_nat.Counters.TxDropped);
        Assert.Equal(whole.Sum(f => f.Length - 14), drops);
        AssertNothingReachedTheHost();
        AssertUdpEcho(from: 60_000);
    }

    [Fact]
    public void Garbage_on_an_established_connection_leaves_it_as_it_is()
    {
        OpenTcp(from: 50_001);
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 1000; i++)
        {
            var payload = new byte[random.Next(100)];
            random.NextBytes(payload);
            // Far from the window in both directions, every flag but SYN (which asks for a challenge) among them.
            var frame = GuestFrames.Tcp4((byte)(random.Next(256) & ~2), payload, 0x8000_0000 + (uint)random.Next(0x1000_0000), (uint)random.Next(), _echo.TcpPort, 50_001);
            Send(frame);
        }
        Talk(50_001, "still here"u8.ToArray(), $"seed {seed}");
    }

    public void Dispose()
    {
        _nat.Dispose();
        _echo.Dispose();
        _silent.Dispose();
        _tx.Dispose();
    }

    private void Send(byte[] frame)
    {
        Assert.Equal(1, _tx.Add(frame).TransmitTo(_nat.Queue));
        _nat.Settle();
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            _time.Advance(1000);
            _nat.Settle();
        }
    }

    private static byte[] Fragment(byte[] part, int at, bool more, ushort id)
    {
        var frame = GuestFrames.Ip4(IpProtocol.Udp, part);
        Ipv4View.SetFragment(frame.AsSpan(14, 20), id, at * 8, more);
        return frame;
    }

    private void AssertNothingReachedTheHost()
    {
        _received.Clear();
        _echo.Serve();
        _nat.Settle();
        Assert.DoesNotContain(_received, f => f[12] == 8 && f[13] == 0 && f[23] == 17 && BinaryPrimitives.ReadUInt16BigEndian(f.AsSpan(34)) == _echo.UdpPort);
    }

    private void AssertUdpEcho(ushort from)
    {
        _received.Clear();
        Send(GuestFrames.Udp4(_echo.UdpPort, "are you there"u8, from: from));
        for (var until = Environment.TickCount64 + 5000; _received.All(f => f.Length != 34 + 8 + 13) && Environment.TickCount64 < until;)
        {
            _echo.Serve();
            _nat.Settle();
        }
        Assert.Contains(_received, f => f.Length == 34 + 8 + 13);
    }

    private void AssertTcpEcho(ushort from)
    {
        OpenTcp(from);
        Talk(from, "hello"u8.ToArray(), "after the flood");
    }

    private void OpenTcp(ushort from)
    {
        _received.Clear();
        Send(GuestFrames.Tcp4(2, port: _echo.TcpPort, from: from));
        for (var until = Environment.TickCount64 + 5000; !_received.Any(f => IsTcp(f, from, 0x12)) && Environment.TickCount64 < until;) _nat.Settle();
        Assert.Contains(_received, f => IsTcp(f, from, 0x12));
        SendFitted(GuestFrames.Tcp4(0x10, default, 1001, 1, _echo.TcpPort, from));
    }

    private void Talk(ushort from, byte[] text, string what)
    {
        _received.Clear();
        SendFitted(GuestFrames.Tcp4(0x18, text, 1001, 1, _echo.TcpPort, from));
        for (var until = Environment.TickCount64 + 5000; !Answered() && Environment.TickCount64 < until;)
        {
            _echo.Serve();
            _nat.Settle();
        }
        Assert.True(Answered(), what);

        bool Answered() => _received.Any(f => IsTcp(f, from, 0x10) && f.AsSpan().EndsWith(text));
    }

    private void SendFitted(byte[] frame)
    {
        _nat.FitToFlow(frame);
        FrameRepair.Checksums(frame, partial: false);
        Send(frame);
    }

    private static bool IsTcp(byte[] frame, ushort port, byte flags) =>
        frame[12] == 8 && frame[13] == 0 && frame[23] == 6 && BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(36)) == port && (frame[47] & flags) == flags;
}
