using NicHost.Contracts.Devices;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicHost.NetVsp.Tests.Conformance;

public sealed class NetVspConformance : NegotiatingDeviceConformance
{
    protected override IDevice CreateDevice(IEventLoop loop, string socket, int queues, int mtu) =>
        new NetVspFactory().Create(TestNic.DeviceContext(loop, $$"""{"kind":"netvsp","socket":"{{socket}}","queues":{{queues}}}""", mtu));

    protected override INegotiatingGuestDriver CreateDriver(string socket) => new NetvscTestDriver(socket);

    /// <summary>
    /// NDIS has no words for a segment size towards the guest nor for an open checksum, and the IP header's sum, which a large send leaves out, is
    /// filled in on the way.
    /// </summary>
    protected override void AssertSuperFrame(byte[] frame, FrameOffload offload, ReceivedFrame back)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(back);
        var expected = frame.ToArray();
        if (offload.Gso == GsoKind.TcpV4) back.Bytes.AsSpan(24, 2).CopyTo(expected.AsSpan(24));
        Assert.Equal(expected, back.Bytes);
        Assert.Equal(ChecksumState.Verified, back.Offload.Checksum);
    }
}
