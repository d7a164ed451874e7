using System.Net;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.Consomme.Tests.Ip;

public sealed class IngressTests : IDisposable
{
    private readonly Guest _guest = new();

    [Fact]
    public void Arp_for_gateway_and_dns_is_answered_and_for_others_is_not()
    {
        foreach (var target in new[] { Guest.Gateway, Guest.Dns })
        {
            var reply = _guest.Send(Frames.ArpRequest(Guest.Address, target)).Receive();
            Assert.Equal(Guest.Mac, new MacAddress(reply));
            Assert.Equal(2, Frames.Word(reply, 20));
            Assert.Equal(Frames.GatewayMac, new MacAddress(reply.AsSpan(22)));
            Assert.Equal(target, IpAddr.FromV4(reply.AsSpan(28)));
        }
        _guest.Send(Frames.ArpRequest(Guest.Address, IpAddr.FromV4(0x0a000209)));
        _guest.Send(Frames.ArpRequest(IpAddr.FromV4(0), Guest.Address));
        _guest.AssertSilent();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(56)]
    [InlineData(1472)]
    public void Ping_of_the_gateway_comes_back_with_its_payload(int size)
    {
        var reply = _guest.Send(Frames.Echo(Guest.Address, Guest.Gateway, 7, 9, Frames.Pattern(size))).Receive();
        Assert.Equal(0, reply[34]);
        Assert.Equal(7, Frames.Word(reply, 38));
        Assert.Equal(9, Frames.Word(reply, 40));
        Assert.Equal(Frames.Pattern(size), reply[42..]);
        Assert.Equal(0xffff, NicHost.Testing.TestFrames.Fold(NicHost.Testing.TestFrames.NaiveSum(reply.AsSpan(34))));
    }

    [Fact]
    public void Ping_in_fragments_in_any_order_comes_back_in_fragments()
    {
        var message = Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 2, Frames.Pattern(5000));
        var pieces = Fragments(message, 1480).ToArray();
        Array.Reverse(pieces);
        _guest.Send(pieces);
        var whole = new byte[message.Length];
        foreach (var frame in _guest.Device.Received)
            frame.Bytes.AsSpan(34).CopyTo(whole.AsSpan((Frames.Word(frame.Bytes, 20) & 0x1fff) * 8));
        Assert.Equal(4, _guest.Device.Received.Count);
        Assert.Equal(Frames.Pattern(5000), whole[8..]);
        Assert.Equal(0xffff, NicHost.Testing.TestFrames.Fold(NicHost.Testing.TestFrames.NaiveSum(whole)));
    }

    [Fact]
    public void Fragments_that_overlap_are_dropped_with_their_datagram()
    {
        var message = Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 2, Frames.Pattern(3000));
        var pieces = Fragments(message, 1480).ToArray();
        var evil = Frames.Ip(Guest.Address, Guest.Gateway, 1, new byte[16], id: 77, fragment: 0x2000 | (1472 / 8));
        _guest.Send([pieces[0], evil, pieces[1], pieces[2]]);
        _guest.AssertSilent();
        Assert.True(_guest.Counters.TxDropped(DropReason.Fragment) >= 3);
    }

    [Fact]
    public void Fragment_repeated_exactly_does_no_harm()
    {
        var pieces = Fragments(Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 2, Frames.Pattern(2000)), 1480).ToArray();
        _guest.Send([pieces[0], pieces[0], pieces[1]]);
        Assert.Equal(2, _guest.Device.Received.Count);
    }

    [Fact]
    public void Fragment_beyond_64_KiB_is_dropped()
    {
        _guest.Send(Frames.Ip(Guest.Address, Guest.Gateway, 1, new byte[1480], id: 5, fragment: 0x1fff));
        _guest.AssertSilent();
        Assert.Equal(1, _guest.Counters.TxDropped(DropReason.Fragment));
    }

    [Fact]
    public void Fragments_without_end_stay_within_their_bound()
    {
        for (ushort i = 0; i < 1000; i++) _guest.Send(Frames.Ip(Guest.Address, Guest.Gateway, 1, new byte[64], id: i, fragment: 0x2000));
        Assert.Equal(16, _guest.Number("fragments.pending"));
    }

    [Fact]
    public void Fragments_time_out()
    {
        using var guest = new Guest(time: new Microsoft.Extensions.Time.Testing.FakeTimeProvider());
        var pieces = Fragments(Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 2, Frames.Pattern(2000)), 1480).ToArray();
        guest.Send(pieces[0]);
        guest.Time.Advance(TimeSpan.FromSeconds(31));
        guest.Loop.RunUntilIdle();
        Assert.Equal(0, guest.Number("fragments.pending"));
        guest.Device.Received.Clear(); // router advertisements
        guest.Send(pieces[1]).AssertSilent();
    }

    [Fact]
    public void Spoofed_sources_are_dropped_and_counted()
    {
        var echo = Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 1, []);
        _guest.Send(Frames.Ip(IpAddr.FromV4(0x0a000210), Guest.Gateway, 1, echo));
        _guest.Send(Frames.Ip(IpAddr.FromV4(0x08080808), Guest.Gateway, 1, echo));
        var other = new MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x57]);
        _guest.Send(Frames.Ethernet(0x0800, Frames.Ip(Guest.Address, Guest.Gateway, 1, echo).AsSpan(14), from: other));
        _guest.Send(Frames.Ip(Guest.Gateway6, Guest.Gateway6, 58, new byte[8]));
        _guest.AssertSilent();
        Assert.Equal(4, _guest.Counters.TxDropped(DropReason.Spoofed));
    }

    [Fact]
    public void Unspecified_source_may_not_ping()
    {
        _guest.Send(Frames.Echo(IpAddr.FromV4(0), Guest.Gateway, 1, 1, [])).AssertSilent();
        Assert.Equal(1, _guest.Counters.TxDropped(DropReason.NotForUs));
    }

    [Fact]
    public void Frame_to_another_station_is_not_ours()
    {
        var packet = Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, []).AsSpan(14);
        _guest.Send(Frames.Ethernet(0x0800, packet, to: new MacAddress([0x52, 0x54, 0, 1, 2, 3]))).AssertSilent();
        Assert.Equal(1, _guest.Counters.TxDropped(DropReason.NotForUs));
    }

    [Theory]
    [InlineData(14, 0x55, DropReason.Malformed)] // version
    [InlineData(14, 0x44, DropReason.Malformed)] // header of 16 bytes
    [InlineData(14, 0x4f, DropReason.Malformed)] // header beyond the packet
    [InlineData(16, 0x01, DropReason.Malformed)] // total length beyond the frame
    [InlineData(24, 0x01, DropReason.BadChecksum)] // header checksum
    [InlineData(40, 0x01, DropReason.BadChecksum)] // ICMP checksum
    [InlineData(12, 0x81, DropReason.Unsupported)] // EtherType 0x8100: a tag is not ignored
    public void Malformed_header_is_dropped_with_its_reason(int at, int value, DropReason reason)
    {
        var frame = Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, new byte[4]);
        frame[at] = (byte)value;
        _guest.Send(frame).AssertSilent();
        Assert.Equal(1, _guest.Counters.TxDropped(reason));
    }

    [Theory]
    [InlineData(4)] // IP in IP
    [InlineData(47)] // GRE
    [InlineData(50)] // ESP
    [InlineData(132)] // SCTP
    public void Protocol_that_is_not_translated_is_dropped_and_counted(byte protocol)
    {
        _guest.Send(Frames.Ip(Guest.Address, Guest.Gateway, protocol, new byte[64]));
        _guest.Send(Frames.Ip(Guest.Address6, Guest.Gateway6, protocol, new byte[64]));
        _guest.AssertSilent();
        Assert.Equal(2, _guest.Counters.TxDropped(DropReason.Unsupported));
    }

    [Fact]
    public void Truncated_at_every_length_never_answers_or_throws()
    {
        foreach (var whole in new[]
        {
            Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, new byte[20]), Frames.ArpRequest(Guest.Address, Guest.Gateway),
            Frames.Udp(Guest.Address, 68, Guest.Gateway, 67, new byte[300]), Frames.Echo(Guest.Address6, Guest.Gateway6, 1, 1, new byte[20]),
        })
        {
            for (var length = 14; length < whole.Length; length++) _guest.Send(whole[..length]);
        }
        _guest.AssertSilent();
    }

    [Fact]
    public void Padding_behind_a_short_packet_is_no_part_of_it()
    {
        var frame = Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, new byte[2]);
        Array.Resize(ref frame, 60);
        frame.AsSpan(44).Fill(0xee);
        Assert.Equal(44, _guest.Send(frame).Receive().Length);
    }

    [Fact]
    public void Offload_that_contradicts_the_headers_is_dropped()
    {
        var udp = Frames.Udp(Guest.Address, 1000, Guest.Gateway, 1001, new byte[100]);
        _guest.Send(udp, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = 34, ChecksumOffset = 16 });
        _guest.Send(udp, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = 30, ChecksumOffset = 6 });
        _guest.Send(udp, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = 34, ChecksumOffset = 6, Gso = GsoKind.TcpV4, SegmentSize = 50 });
        _guest.Send(udp, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = 34, ChecksumOffset = 6, Gso = GsoKind.Udp });
        _guest.AssertSilent();
        Assert.Equal(4, _guest.Counters.TxDropped(DropReason.BadOffload));
    }

    [Fact]
    public void Packet_above_the_mtu_is_dropped()
    {
        _guest.Send(Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, new byte[1473])).AssertSilent();
        Assert.Equal(1, _guest.Counters.TxDropped(DropReason.TooLong));
    }

    [Fact]
    public void Time_to_live_that_runs_out_is_told_by_the_gateway()
    {
        var sent = Frames.Udp(Guest.Address, 40000, IpAddr.From(IPAddress.Parse("192.0.2.1")), 33434, new byte[32], ttl: 1);
        var error = _guest.Send(sent).Receive();
        Assert.Equal(Guest.Gateway, IpAddr.FromV4(error.AsSpan(26)));
        Assert.Equal((11, 0), (error[34], error[35]));
        Assert.Equal(sent[14..], error[42..]);
    }

    [Fact]
    public void Ipv4_options_are_skipped()
    {
        var plain = Frames.Echo(Guest.Address, Guest.Gateway, 3, 4, [1, 2, 3]);
        byte[] frame = [.. plain[..34], 1, 1, 1, 0, .. plain[34..]];
        frame[14] = 0x46;
        frame[17] += 4;
        frame[24] = frame[25] = 0;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(
            frame.AsSpan(24), (ushort)~NicHost.Testing.TestFrames.Fold(NicHost.Testing.TestFrames.NaiveSum(frame.AsSpan(14, 24))));
        Assert.Equal(new byte[] { 1, 2, 3 }, _guest.Send(frame).Receive()[42..]);
    }

    [Fact]
    public void Ipv6_extension_headers_are_walked_within_bounds()
    {
        var echo = Frames.EchoMessage(Guest.Address6, Guest.Gateway6, 3, 4, new byte[8]);
        byte[] options = [60, 0, 1, 4, 0, 0, 0, 0]; // hop-by-hop, then destination options
        byte[] last = [58, 0, 1, 4, 0, 0, 0, 0];
        var reply = _guest.Send(Frames.Ip(Guest.Address6, Guest.Gateway6, 0, [.. options, .. last, .. echo])).Receive();
        Assert.Equal(129, reply[54]);
        byte[] endless = [.. Enumerable.Repeat<byte[]>([60, 0, 1, 4, 0, 0, 0, 0], 20).SelectMany(o => o)];
        byte[] beyond = [58, 200, 1, 4, 0, 0, 0, 0];
        byte[] routing = [58, 0, 0, 1, 0, 0, 0, 0];
        _guest.Send(Frames.Ip(Guest.Address6, Guest.Gateway6, 60, [.. endless, .. echo]));
        _guest.Send(Frames.Ip(Guest.Address6, Guest.Gateway6, 60, [.. beyond, .. echo]));
        _guest.Send(Frames.Ip(Guest.Address6, Guest.Gateway6, 43, [.. routing, .. echo]));
        _guest.AssertSilent();
    }

    [Fact]
    public void Ipv6_fragments_are_put_together()
    {
        var message = Frames.EchoMessage(Guest.Address6, Guest.Gateway6, 3, 4, Frames.Pattern(3000));
        byte[] Piece(int at, int length, bool more) =>
            Frames.Ip(Guest.Address6, Guest.Gateway6, 44, [58, 0, (byte)(at >> 8), (byte)((at & 0xf8) | (more ? 1 : 0)), 0, 0, 0, 9, .. message.AsSpan(at, length)]);
        _guest.Send([Piece(1440, 1440, true), Piece(0, 1440, true), Piece(2880, message.Length - 2880, false)]);
        Assert.Equal(3, _guest.Device.Received.Count);
        Assert.All(_guest.Device.Received, f => Assert.Equal(44, f.Bytes[20]));
    }

    public void Dispose() => _guest.Dispose();

    private static IEnumerable<byte[]> Fragments(byte[] message, int size)
    {
        for (var at = 0; at < message.Length; at += size)
        {
            var length = Math.Min(size, message.Length - at);
            var more = at + length < message.Length ? 0x2000 : 0;
            yield return Frames.Ip(Guest.Address, Guest.Gateway, 1, message.AsSpan(at, length), id: 77, fragment: (ushort)(more | (at / 8)));
        }
    }
}
