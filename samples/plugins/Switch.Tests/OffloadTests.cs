using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Testing;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests;

public sealed class OffloadTests : IDisposable
{
    private const OffloadSet All = OffloadSet.Checksum | OffloadSet.AllGso;

    private readonly Bench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SuperFrame_passes_whole_to_a_guest_that_takes_it(bool v4)
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2, accepted: All));
        var (frame, offload) = SuperFrame(b.Address, a.Address, v4, 60_000);
        Assert.Equal(1, a.Send(frame, offload, 4096));
        var came = b.Device.Take();
        Assert.Equal(frame, came.Bytes);
        Assert.Equal(offload, came.Offload);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SuperFrame_is_divided_for_a_guest_that_does_not(bool v4)
    {
        var (a, b) = (_bench.Plug(1), _bench.Plug(2));
        var (frame, offload) = SuperFrame(b.Address, a.Address, v4, 14_000);
        a.Send(frame, offload, 4096);
        var came = b.Taken;
        Assert.Equal(10, came.Count);
        var headers = v4 ? 54 : 74;
        Assert.All(came, wire => Assert.True(wire.Length == headers + 1400 && TestFrames.HasGoodTransportChecksum(wire)));
        Assert.Equal(frame[headers..], came.SelectMany(wire => wire[headers..]).ToArray());
    }

    [Fact]
    public void SuperFrame_that_had_to_wait_is_as_good_as_another()
    {
        var (a, b, c) = (_bench.Plug(1), _bench.Plug(2, accepted: All), _bench.Plug(3));
        b.Device.Withheld = c.Device.Withheld = int.MaxValue;
        var (frame, offload) = SuperFrame(Frames.Broadcast, a.Address, v4: true, 28_000);
        a.Send(frame, offload, 1000);
        b.PostBuffers();
        c.PostBuffers();
        Assert.Equal(frame, b.Device.Take().Bytes);
        Assert.Equal(20, c.Taken.Count);
    }

    [Fact]
    public void Open_checksum_is_completed_for_a_guest_that_does_not_take_it()
    {
        var (a, b, c) = (_bench.Plug(1), _bench.Plug(2), _bench.Plug(3, accepted: OffloadSet.Checksum));
        var (frame, offload) = SuperFrame(Frames.Broadcast, a.Address, v4: true, 500);
        offload.Gso = GsoKind.None;
        a.Send(frame, offload);
        Assert.True(TestFrames.HasGoodTransportChecksum(b.Device.Take().Bytes));
        var came = c.Device.Take();
        Assert.Equal(ChecksumState.Partial, came.Offload.Checksum);
        Assert.Equal(frame, came.Bytes);
    }

    private static (byte[] Frame, FrameOffload Offload) SuperFrame(MacAddress to, MacAddress from, bool v4, int payload)
    {
        var (frame, offload) = TestFrames.TcpSuperFrame(v4, payload, 1400);
        to.CopyTo(frame);
        from.CopyTo(frame.AsSpan(6));
        return (frame, offload);
    }
}
