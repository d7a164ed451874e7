using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using Xunit;

namespace NicHost.Testing.Conformance;

/// <summary>
/// <see cref="DeviceConformance"/> and more, for devices whose transport negotiates offloads with the guest and shows it the link's state.
/// </summary>
public abstract class NegotiatingDeviceConformance : DeviceConformance
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task SuperFrame_comes_back_whole_where_accepted(bool v4) => NegotiatingAsync((guest, _) =>
    {
        guest.Attach(OffloadSet.Checksum | OffloadSet.AllGso);
        Assert.True(guest.AcceptedRx.HasFlag(v4 ? OffloadSet.TsoV4 : OffloadSet.TsoV6));
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, 60_000, 1400);
        Assert.True(guest.TrySend(0, frame, offload));
        var back = guest.Receive(0, Patience);
        Assert.NotNull(back);
        AssertSuperFrame(frame, offload, back);
    });

    [Fact]
    public Task SuperFrame_to_a_guest_that_takes_none_comes_back_as_wire_frames() => NegotiatingAsync((guest, nic) =>
    {
        guest.Attach(OffloadSet.None);
        Assert.Equal(OffloadSet.None, guest.AcceptedRx & OffloadSet.AllGso);
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 4_000, 1400);
        if (!guest.TrySend(0, frame, offload)) return;
        // A guest that did not negotiate TSO may not send it: dropped with a count, or divided; never passed on whole.
        while (guest.Receive(0, Moment) is { } back) Assert.InRange(back.Bytes.Length, 14, 1514);
        Assert.Equal(0, nic.GuestFaults.Count(f => f.Contains("exception", StringComparison.OrdinalIgnoreCase)));
        AssertEcho(guest, 100);
    });

    [Fact]
    public Task Link_changes_reach_the_guest() => NegotiatingAsync((guest, nic) =>
    {
        guest.Attach(OffloadSet.None);
        Assert.True(guest.WaitForLink(up: true, Patience));
        nic.SetLinkAsync(LinkState.Down).Wait(Patience);
        Assert.True(guest.WaitForLink(up: false, Patience));
        nic.SetLinkAsync(LinkState.Up10G).Wait(Patience);
        Assert.True(guest.WaitForLink(up: true, Patience));
        AssertEcho(guest, 60);
    });

    /// <inheritdoc/>
    protected abstract override INegotiatingGuestDriver CreateDriver(string socket);

    /// <summary>What a super-frame that came back whole must be like: the same, record included, where the transport can say all of it.</summary>
    protected virtual void AssertSuperFrame(byte[] frame, FrameOffload offload, ReceivedFrame back)
    {
        ArgumentNullException.ThrowIfNull(back);
        Assert.Equal(frame, back.Bytes);
        Assert.Equal((offload.Gso, offload.SegmentSize, offload.Checksum), (back.Offload.Gso, back.Offload.SegmentSize, back.Offload.Checksum));
    }

    private Task NegotiatingAsync(Action<INegotiatingGuestDriver, TestNic> body) => RunAsync((guest, nic) => body((INegotiatingGuestDriver)guest, nic));
}
