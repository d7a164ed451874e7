using NicHost.Virtio.Tests.Rig;

namespace NicHost.Virtio.Tests.Net;

public sealed class TransmitTests
{
    private static byte[] Frame(int length, byte seed = 1) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + seed))];

    [Fact]
    public void Frame_from_the_guest_reaches_the_endpoint_and_comes_back_used()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var head = guest.Send(Frame(100));
        Assert.Equal(Frame(100), Assert.Single(nic.Queue.Frames).Bytes);
        Assert.Equal((head, 0), guest.Tx.Take());
        Assert.Equal(1, guest.Calls[1].Drain().Count);
        Assert.Equal(1, nic.Backend.Counters(0).TxFrames);
        Assert.Equal(100, nic.Backend.Counters(0).TxBytes);
    }

    [Fact]
    public void Frame_to_the_guest_reaches_its_buffer()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var posted = guest.Post(2, 2048);
        guest.Kick(0);
        Assert.True(nic.Queue.Deliver(Frame(100)));
        var (head, length) = guest.Rx.Take()!.Value;
        Assert.Equal(112, length);
        Assert.Equal(Frame(100), guest.Memory.Span(posted[head] + 12, 100).ToArray());
        Assert.Equal(1, guest.ReadHeader(posted[head]).Buffers);
        Assert.Equal(1, guest.Calls[0].Drain().Count);
    }
}
