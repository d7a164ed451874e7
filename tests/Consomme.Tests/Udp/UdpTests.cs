using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Core;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

public sealed class UdpTests : IDisposable
{
    private const string Loopback = """{"hostLoopback":true}""";
    private readonly List<IDisposable> _open = [];

    public static TheoryData<bool> Versions => new(true, false);

    [Theory]
    [MemberData(nameof(Versions))]
    public void Datagrams_of_many_sizes_go_out_and_their_answers_come_back(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        foreach (var size in new[] { 0, 1, 2, 31, 512, v4 ? 1472 : 1452 })
        {
            var payload = Frames.Pattern(size, size);
            guest.Send(Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, payload));
            var from = host.Receive(payload);
            host.Send(payload, from);
            var answer = guest.Receive();
            Assert.Equal(payload, Frames.UdpPayload(answer));
            Assert.Equal(Gateway(v4), Source(answer));
            Assert.Equal((host.Port, (ushort)5000), Ports(answer));
            Assert.True(TestFrames.HasGoodTransportChecksum(answer));
        }
        Assert.Equal(1, guest.Number("udp.flows"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Datagram_above_the_mtu_goes_both_ways_in_fragments(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        var payload = Frames.Pattern(8000);
        var segment = Frames.UdpSegment(Us(v4), 5000, Gateway(v4), host.Port, payload);
        guest.Send(Fragmented(v4, segment));
        host.Send(payload, host.Receive(payload));
        guest.WaitUntil(() => guest.Device.Received.Count == 6, "six fragments");
        var whole = Whole(v4, guest.Device.Received.Select(f => f.Bytes));
        Assert.Equal(payload, whole[8..]);
        Assert.Equal(0xffff, TestFrames.Fold(Frames.Pseudo(Gateway(v4), Us(v4), 17, whole.Length) + TestFrames.NaiveSum(whole)));
        Assert.All(guest.Device.Received, f => Assert.InRange(f.Bytes.Length, 1, 1514));
    }

    [Fact]
    public void Small_and_large_datagrams_mixed_in_one_burst_all_arrive()
    {
        var guest = Make();
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        var from = host.Receive([1]);
        int[] sizes = [10, 20, 4000, 30, 1472, 1473, 40];
        foreach (var size in sizes) host.Send(Frames.Pattern(size, size), from);
        guest.WaitUntil(() => guest.Device.Received.Count == 10, "ten frames");
        var whole = guest.Device.Received.Where(f => (Frames.Word(f.Bytes, 20) & 0x3fff) == 0).Select(f => f.Bytes.Length - 42);
        Assert.Equal([10, 20, 30, 1472, 40], whole);
        Assert.Equal(0, guest.Device.OpenReservations);
    }

    [Fact]
    public void Super_frame_of_the_guest_arrives_as_its_datagrams()
    {
        var guest = Make();
        var host = HostSocket(true);
        var payload = Frames.Pattern(10_500);
        Send(guest, SuperFrame(true, 5000, host.Port, payload, 1000));
        for (var at = 0; at < payload.Length; at += 1000) host.Receive(payload[at..Math.Min(at + 1000, payload.Length)]);
        Send(guest, SuperFrame(true, 5000, host.Port, Frames.Pattern(65000), 500)); // 130 datagrams: more than one call takes
        for (var i = 0; i < 130; i++) host.Receive(Frames.Pattern(65000)[(i * 500)..((i + 1) * 500)]);
    }

    [Theory]
    [InlineData(OffloadSet.Checksum | OffloadSet.UsoV4)]
    [InlineData(OffloadSet.Checksum)]
    [InlineData(OffloadSet.None)]
    public void Datagrams_merged_by_the_kernel_reach_every_guest(OffloadSet accepted)
    {
        var guest = Make(accepted: accepted);
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        var from = host.Receive([1]);
        host.Socket.SetRawSocketOption(17, 103, BitConverter.GetBytes(1200)); // UDP_SEGMENT
        var payload = Frames.Pattern(12_100);
        for (var round = 0; round < 3; round++)
        {
            host.Send(payload, from);
            var got = new List<byte>();
            guest.WaitUntil(() =>
            {
                for (; guest.Device.Received.Count > 0; got.AddRange(Frames.UdpPayload(guest.Device.Take().Bytes)))
                {
                    var next = guest.Device.Received[0];
                    Assert.Equal(accepted.HasFlag(OffloadSet.UsoV4) ? GsoKind.Udp : GsoKind.None, next.Offload.Gso);
                    if (next.Offload.Gso == GsoKind.Udp) Assert.Equal(1200, next.Offload.SegmentSize);
                    if (accepted == OffloadSet.None) Assert.True(TestFrames.HasGoodTransportChecksum(next.Bytes));
                }
                return got.Count >= payload.Length;
            }, "the payload");
            Assert.Equal(payload, got);
        }
    }

    [Fact]
    public void Port_that_nobody_has_is_told_by_the_host_it_was_sent_to()
    {
        var guest = Make();
        var free = HostSocket(true);
        free.Socket.Dispose();
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), free.Port, Frames.Pattern(20)));
        var error = guest.Receive();
        Assert.Equal((3, 3), (error[34], error[35]));
        Assert.Equal(Gateway(true), Source(error));
        Assert.Equal((5000, free.Port), (Frames.Word(error, 42 + 20), Frames.Word(error, 42 + 22)));
        Assert.Equal(Us(true), IpAddr.FromV4(error.AsSpan(42 + 12)));
        // The flow lives on, and the pending error does not eat the next datagram.
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), free.Port, [1]));
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [2]));
        host.Receive([2]);
    }

    [Fact]
    public void Port_that_nobody_has_is_told_over_ipv6_too()
    {
        var guest = Make();
        var free = HostSocket(false);
        free.Socket.Dispose();
        guest.Send(Frames.Udp(Us(false), 5000, Gateway(false), free.Port, Frames.Pattern(20)));
        var error = guest.Receive();
        Assert.Equal((1, 4), (error[54], error[55]));
        Assert.Equal(Gateway(false), Source(error));
        Assert.Equal((5000, free.Port), (Frames.Word(error, 62 + 40), Frames.Word(error, 62 + 42)));
    }

    [Fact]
    public void Gateway_without_host_loopback_refuses()
    {
        var guest = Make("{}");
        var host = HostSocket(true);
        var error = guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1])).Receive();
        Assert.Equal((3, 3), (error[34], error[35]));
        Assert.Equal(0, host.Socket.Available);
        Assert.Equal(0, guest.Number("udp.flows"));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.169.254")]
    [InlineData("10.0.2.99")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::127.0.0.1")]
    [InlineData("::")]
    public void Addresses_that_never_leave_open_no_socket(string address)
    {
        var guest = Make();
        var to = IpAddr.From(IPAddress.Parse(address));
        var v4 = !address.Contains(':', StringComparison.Ordinal);
        guest.Send(v4 ? Frames.Udp(Us(true), 5000, to, 9, [1]) : Mapped(to));
        Assert.Equal(0, guest.Number("udp.flows"));

        static byte[] Mapped(IpAddr to)
        {
            var frame = Frames.Udp(Us(false), 5000, Guest.Gateway6, 9, [1]);
            to.WriteV6(frame.AsSpan(38));
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(60), 0);
            var sum = (ushort)~TestFrames.Fold(Pseudo6(frame) + TestFrames.NaiveSum(frame.AsSpan(54)));
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(60), sum);
            return frame;
        }

        static long Pseudo6(byte[] frame) => TestFrames.NaiveSum(frame.AsSpan(22, 32)) + 17 + 9;
    }

    [Fact]
    public void Flows_stay_within_the_limit_and_the_one_idle_longest_gives_way()
    {
        var guest = Make("""{"hostLoopback":true,"limits":{"udpFlows":50}}""");
        var host = HostSocket(true);
        for (ushort i = 0; i < 1000; i++)
        {
            guest.Send(Frames.Udp(Us(true), (ushort)(1000 + i), Gateway(true), host.Port, [1]));
            Assert.InRange(guest.Number("udp.flows"), 1, 50);
        }
        Assert.Equal(950, guest.Number("udp.evicted"));
    }

    [Fact]
    public void Flows_end_when_idle_and_an_answered_question_sooner()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        var guest = Make("""{"hostLoopback":true,"limits":{"udpIdleSeconds":100}}""", time: time);
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        for (var i = 0; i < 5; i++) guest.Send(Frames.Udp(Us(true), 5001, Gateway(true), host.Port, [1]));
        Assert.Equal(2, guest.Number("udp.flows"));
        Pass(26);
        Assert.Equal(1, guest.Number("udp.flows"));
        Pass(70);
        guest.Send(Frames.Udp(Us(true), 5001, Gateway(true), host.Port, [1]));
        Pass(70);
        Assert.Equal(1, guest.Number("udp.flows"));
        Pass(31);
        Assert.Equal(0, guest.Number("udp.flows"));

        void Pass(int seconds)
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            guest.Loop.RunUntilIdle();
        }
    }

    [Fact]
    public void Guest_without_buffers_gets_its_datagrams_when_it_has_some()
    {
        var guest = Make();
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        var from = host.Receive([1]);
        guest.Device.Withheld = int.MaxValue;
        for (byte i = 0; i < 20; i++) host.Send([i], from);
        guest.Loop.RunUntilIdle();
        Assert.Empty(guest.Device.Received);
        Assert.True(guest.Counters.RxStalls > 0);
        guest.Device.Withheld = 0;
        guest.Queue.ReceiveReady();
        guest.Loop.RunUntilIdle();
        Assert.Equal(20, guest.Device.Received.Count);
        Assert.Equal(0, guest.Counters.RxDropped(DropReason.NoBuffer));
    }

    [Fact]
    public void Steady_flow_allocates_nothing_in_either_direction()
    {
        var guest = Make(accepted: OffloadSet.Checksum);
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        var from = new SocketAddress(AddressFamily.InterNetwork);
        var endpoint = host.Receive([1]);
        from = endpoint.Serialize();
        guest.Device.Record = false;
        using var batch = new TxBuilder();
        for (var i = 0; i < 16; i++) batch.Add(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, new byte[1000]));
        var buffer = new byte[2000];
        for (var i = 0; i < 300; i++) Round();
        // Code that runs for the first time (a full socket, a late wake-up) may allocate once: what is paid per datagram shows every time.
        var least = long.MaxValue;
        for (var window = 0; window < 5 && least > 0; window++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 300; i++) Round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);

        void Round()
        {
            batch.Offer(guest.Queue);
            for (var i = 0; i < 16; i++) host.Socket.Receive(buffer);
            for (var i = 0; i < 16; i++) host.Socket.SendTo(buffer.AsSpan(0, 1000), SocketFlags.None, from);
            guest.Loop.RunOnce();
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Large_mtu_carries_large_datagrams_whole(bool v4)
    {
        using var guest = new Guest(Loopback, mtu: 65520);
        var host = HostSocket(v4);
        foreach (var size in new[] { 1, 8000, 65000 })
        {
            var payload = Frames.Pattern(size);
            guest.Send(Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, payload));
            host.Send(payload, host.Receive(payload));
            Assert.Equal(payload, Frames.UdpPayload(guest.Receive()));
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Congestion_and_class_bits_travel_both_ways(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        host.Socket.SetRawSocketOption(v4 ? 0 : 41, v4 ? 13 : 66, BitConverter.GetBytes(1)); // IP_RECVTOS, IPV6_RECVTCLASS
        host.Socket.SetRawSocketOption(v4 ? 0 : 41, v4 ? 1 : 67, BitConverter.GetBytes(0xb9)); // IP_TOS, IPV6_TCLASS
        var frame = Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, [1]);
        if (v4)
        {
            frame[15] = 0xb9;
            frame.AsSpan(24, 2).Clear();
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~TestFrames.Fold(TestFrames.NaiveSum(frame.AsSpan(14, 20))));
        }
        else
        {
            frame[14] = 0x6b;
            frame[15] = 0x90;
        }
        guest.Send(frame);
        Assert.Equal(0xb9, TrafficClassOf(host));
        host.Send([2], new IPEndPoint(v4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, _from));
        var answer = guest.Receive();
        Assert.Equal(0xb9, v4 ? answer[15] : (byte)(Frames.Word(answer, 14) >> 4));
    }

    private int _from;

    /// <summary>Receives one datagram with its control message.</summary>
    private unsafe int TrafficClassOf(HostSocket host)
    {
        var fd = (int)host.Socket.Handle;
        Assert.NotEqual(Linux.PollEvents.None, Linux.Io.Poll(fd, Linux.PollEvents.In, 10_000));
        var control = stackalloc ulong[16];
        var payload = stackalloc byte[16];
        var name = default(Linux.SockAddr);
        var segment = new Linux.IoVec(payload, 16);
        var message = new Linux.MsgHdr
        {
            Name = (nint)(&name), NameLength = Linux.SockAddr.MaxLength, Segments = &segment, SegmentCount = 1, Control = (nint)control, ControlLength = 128,
        };
        Linux.Sockets.RecvMsg(fd, &message).OrThrow("receive");
        _from = name.Port;
        var reader = message.ReadControl();
        return reader.MoveNext() ? reader.Data[0] : -1;
    }

    [Fact]
    public void One_port_in_both_ip_versions_is_two_flows()
    {
        var guest = Make();
        HostSocket four = HostSocket(true), six = HostSocket(false);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), four.Port, [4]));
        guest.Send(Frames.Udp(Us(false), 5000, Gateway(false), six.Port, [6]));
        four.Send([44], four.Receive([4]));
        six.Send([66], six.Receive([6]));
        guest.WaitUntil(() => guest.Device.Received.Count == 2, "both answers");
        Assert.Equal(2, guest.Number("udp.flows"));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Super_frame_whose_lengths_the_guest_left_open_is_taken_by_the_frames_length(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        var (frame, offload) = SuperFrame(v4, 5000, host.Port, Frames.Pattern(3000), 1000);
        frame.AsSpan(v4 ? 16 : 18, 2).Clear();
        if (v4) frame.AsSpan(24, 2).Clear();
        frame.AsSpan((v4 ? 34 : 54) + 4, 2).Clear();
        guest.Send(frame, offload);
        for (var i = 0; i < 3; i++) host.Receive(Frames.Pattern(3000)[(i * 1000)..((i + 1) * 1000)]);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Checksum_of_zero_means_none_in_ipv4_only(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        var frame = Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, [1, 2]);
        frame.AsSpan((v4 ? 34 : 54) + 6, 2).Clear();
        guest.Send(frame);
        if (v4) host.Receive([1, 2]);
        else Assert.Equal(1, guest.Counters.TxDropped(DropReason.BadChecksum));
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Padding_behind_the_packet_is_not_sent(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        guest.Send([.. Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, [7]), .. new byte[30]]);
        host.Receive([7]);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public void Guest_that_completes_checksums_is_spared_ours(bool v4)
    {
        var guest = Make(accepted: OffloadSet.Checksum);
        var host = HostSocket(v4);
        guest.Send(Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, [1]));
        host.Send([2], host.Receive([1]));
        Assert.NotEqual(ChecksumState.Unknown, guest.ReceiveFrame().Offload.Checksum);
    }

    [Fact]
    public void Guest_that_changes_its_frame_meanwhile_reaches_nobody_else()
    {
        // The addresses are taken from our copy: what the guest writes later changes only what its own payload says.
        var guest = Make("{}");
        var host = HostSocket(true);
        using var batch = new TxBuilder();
        batch.Add(Frames.Udp(Us(true), 5000, Guest.Gateway, host.Port, Frames.Pattern(64)));
        using var stop = new CancellationTokenSource();
        var memory = new Thread(() =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                batch.Memory[30] = (i & 1) == 0 ? (byte)127 : (byte)10;
                batch.Memory[33] = (i & 1) == 0 ? (byte)1 : (byte)2;
            }
        });
        memory.Start();
        for (var i = 0; i < 20_000; i++) batch.Offer(guest.Queue);
        stop.Cancel();
        memory.Join();
        Assert.Equal(0, host.Socket.Available);
    }

    [Fact]
    public void Flow_survives_a_guest_that_resets_and_keeps_what_comes_meanwhile()
    {
        var guest = Make();
        var host = HostSocket(true);
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [1]));
        var before = host.Receive([1]);
        guest.CloseQueue();
        host.Send([9], before);
        guest.Loop.RunOnce(20);
        guest.ReopenQueue();
        Assert.Equal([9], Frames.UdpPayload(guest.Receive()));
        guest.Send(Frames.Udp(Us(true), 5000, Gateway(true), host.Port, [2]));
        Assert.Equal(before, host.Receive([2]));
    }

    public void Dispose()
    {
        foreach (var one in _open) one.Dispose();
    }

    private static void Send(Guest guest, (byte[] Frame, FrameOffload Offload) one) => guest.Send(one.Frame, one.Offload);

    private static IpAddr Us(bool v4) => v4 ? Guest.Address : Guest.Address6;

    private static IpAddr Gateway(bool v4) => v4 ? Guest.Gateway : Guest.Gateway6;

    private static IpAddr Source(byte[] frame) => frame[12] == 8 ? IpAddr.FromV4(frame.AsSpan(26)) : IpAddr.FromV6(frame.AsSpan(22));

    private static (ushort From, ushort To) Ports(byte[] frame)
    {
        var at = frame[12] == 8 ? 34 : 54;
        return (Frames.Word(frame, at), Frames.Word(frame, at + 2));
    }

    private static (byte[] Frame, FrameOffload Offload) SuperFrame(bool v4, ushort from, ushort to, byte[] payload, ushort size)
    {
        var frame = Frames.Udp(Us(v4), from, Gateway(v4), to, payload);
        var at = v4 ? 34 : 54;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at + 6), TestFrames.PseudoSum(frame, v4, 17, frame.Length - at));
        return (frame, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = (ushort)at, ChecksumOffset = 6, Gso = GsoKind.Udp, SegmentSize = size });
    }

    private static IEnumerable<byte[]> Fragmented(bool v4, byte[] segment)
    {
        const int size = 1440;
        for (var at = 0; at < segment.Length; at += size)
        {
            var piece = segment.AsSpan(at, Math.Min(size, segment.Length - at));
            var more = at + piece.Length < segment.Length;
            yield return v4
                ? Frames.Ip(Us(v4), Gateway(v4), 17, piece, id: 9, fragment: (ushort)((more ? 0x2000 : 0) | (at / 8)))
                : Frames.Ip(Us(v4), Gateway(v4), 44, [17, 0, (byte)(at >> 8), (byte)((at & 0xf8) | (more ? 1 : 0)), 0, 0, 0, 9, .. piece]);
        }
    }

    private static byte[] Whole(bool v4, IEnumerable<byte[]> frames)
    {
        var whole = new byte[65536];
        var end = 0;
        foreach (var frame in frames)
        {
            var at = v4 ? (Frames.Word(frame, 20) & 0x1fff) * 8 : Frames.Word(frame, 56) & 0xfff8;
            var payload = frame.AsSpan(v4 ? 34 : 62);
            payload.CopyTo(whole.AsSpan(at));
            end = Math.Max(end, at + payload.Length);
        }
        return whole[..end];
    }

    private Guest Make(string options = Loopback, OffloadSet accepted = OffloadSet.None, Microsoft.Extensions.Time.Testing.FakeTimeProvider? time = null)
    {
        var guest = new Guest(options, accepted, time: time);
        _open.Add(guest);
        return guest;
    }

    private HostSocket HostSocket(bool v4)
    {
        var host = new HostSocket(v4);
        _open.Add(host);
        return host;
    }
}
