using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>Datagrams of every kind, whole and unharmed, both ways.</summary>
public sealed class UdpDatagramTests : UdpRig
{
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
}
