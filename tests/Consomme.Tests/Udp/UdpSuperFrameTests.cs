using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>Several datagrams in one frame, from the guest and to it.</summary>
public sealed class UdpSuperFrameTests : UdpRig
{
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

    [Fact]
    public void Super_frame_of_too_many_datagrams_is_dropped_with_a_count()
    {
        var guest = Make();
        var host = HostSocket(true);
        Send(guest, SuperFrame(true, 5000, host.Port, Frames.Pattern(60_000), 100));
        Send(guest, SuperFrame(true, 5000, host.Port, Frames.Pattern(2000), 1000));
        host.Receive(Frames.Pattern(2000)[..1000]);
        Assert.Equal(1, guest.Counters.TxDropped(DropReason.BadOffload));
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
}
