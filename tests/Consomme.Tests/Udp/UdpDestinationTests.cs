using System.Net;
using NicHost.Consomme.Core;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>Where datagrams may go, and what the guest is told of where they cannot.</summary>
public sealed class UdpDestinationTests : UdpRig
{
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
}
