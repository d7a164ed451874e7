using System.Net.Sockets;
using NicHost.Consomme.Tcp;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class CloseTests
{
    [Fact]
    public void Reset_by_the_guest_resets_the_host()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.Send(TcpFlags.Rst | TcpFlags.Ack);
        Assert.Equal(0, guest.Number("flows"));
        var error = Assert.Throws<SocketException>(() => server.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, error.SocketErrorCode);
        Assert.Equal(1, guest.Number("closed.guestReset"));
    }

    [Fact]
    public void Reset_by_the_host_resets_the_guest()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.LingerState = new LingerOption(true, 0);
        server.Dispose();
        var answer = guest.Receive();
        Assert.True(answer.Is(TcpFlags.Rst | TcpFlags.Ack), $"Got {answer.Flags}.");
        Assert.Equal(peer.Expected, answer.Seq);
        Assert.Equal(0, guest.Number("flows"));
    }

    [Fact]
    public void Reset_by_the_host_after_its_fin_reaches_the_guest()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.Close();
        peer.Receive();
        peer.Send(TcpFlags.Ack);
        // Nobody reads any more: the kernel answers the guest's data with a reset.
        peer.SendData(Frames.Pattern(100));
        guest.Guest.WaitUntil(() => guest.Number("flows") == 0, "the flow's end");
        Assert.Contains(guest.ReceiveAll(), s => s.Flags.HasFlag(TcpFlags.Rst));
    }

    [Fact]
    public void Reset_elsewhere_in_the_window_is_challenged()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.Send(TcpFlags.Rst, seq: peer.Next + 1);
        var answer = guest.Receive();
        Assert.True(answer.Is(TcpFlags.Ack));
        Assert.Equal(peer.Next, answer.Ack);
        peer.Send(TcpFlags.Rst, seq: peer.Next - 1);
        guest.Guest.AssertSilent();
        Assert.Equal(1, guest.Number("states.established"));
        server.Dispose();
    }

    [Fact]
    public void Syn_inside_a_connection_is_challenged()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.Send(TcpFlags.Syn, seq: peer.Next + 5, ack: 0);
        Assert.True(guest.Receive().Is(TcpFlags.Ack));
        Assert.Equal(1, guest.Number("states.established"));
        server.Dispose();
    }

    [Fact]
    public void Acknowledgement_of_what_was_never_sent_is_challenged_and_not_believed()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        peer.Send(TcpFlags.Ack, Frames.Pattern(10), ack: peer.Expected + 100);
        var answer = guest.Receive();
        Assert.Equal(peer.Next, answer.Ack);
        Assert.Equal(0, server.Available);
        server.Dispose();
    }

    [Fact]
    public void Both_fins_crossing_end_in_time_wait()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.Shutdown(SocketShutdown.Send);
        var fin = guest.Receive();
        Assert.True(fin.Is(TcpFlags.Fin | TcpFlags.Ack));
        // Sent before the host's FIN was seen.
        peer.Send(TcpFlags.Fin | TcpFlags.Ack);
        Assert.Equal(1, guest.Number("states.closing"));
        peer.Next++;
        peer.Expected++;
        peer.Send(TcpFlags.Ack);
        Assert.Equal(1, guest.Number("states.timeWait"));
        server.Dispose();
    }

    [Fact]
    public void Fin_that_was_lost_is_sent_again()
    {
        using var guest = new TcpGuest();
        var (peer, server) = guest.Connect();
        server.Shutdown(SocketShutdown.Send);
        var first = guest.Receive();
        guest.Pass(TimeSpan.FromSeconds(1.1));
        var again = guest.Receive();
        Assert.Equal(first.Seq, again.Seq);
        Assert.True(again.Is(TcpFlags.Fin | TcpFlags.Ack));
        peer.Take(again);
        peer.Send(TcpFlags.Ack);
        Assert.Equal(1, guest.Number("states.finWait2"));
        server.Dispose();
    }

    [Fact]
    public void Guests_fin_again_in_time_wait_is_acknowledged_again()
    {
        using var guest = new TcpGuest();
        var peer = TimeWait(guest);
        peer.Send(TcpFlags.Fin | TcpFlags.Ack, seq: peer.Next - 1);
        Assert.Equal(peer.Next, guest.Receive().Ack);
    }

    [Fact]
    public void New_connection_from_the_same_port_is_taken_in_time_wait()
    {
        using var guest = new TcpGuest();
        var peer = TimeWait(guest);
        var (_, server) = guest.Connect(isn: peer.Next + 1000);
        Assert.Equal(1, guest.Number("states.established"));
        server.Dispose();
    }

    [Fact]
    public void Old_syn_in_time_wait_is_only_acknowledged()
    {
        using var guest = new TcpGuest();
        var peer = TimeWait(guest);
        peer.Send(TcpFlags.Syn, seq: peer.Next - 100, ack: 0);
        Assert.True(guest.Receive().Is(TcpFlags.Ack));
        Assert.Equal(1, guest.Number("states.timeWait"));
    }

    [Fact]
    public void Segment_of_no_connection_is_reset()
    {
        using var guest = new TcpGuest();
        guest.Send(new Segment { ToPort = 9, Seq = 5, Ack = 99, Flags = TcpFlags.Ack });
        var answer = guest.Receive();
        Assert.True(answer.Is(TcpFlags.Rst));
        Assert.Equal(99u, answer.Seq);
        guest.Send(new Segment { ToPort = 9, Seq = 5, Flags = TcpFlags.Rst });
        guest.Guest.AssertSilent();
    }

    private static Peer TimeWait(TcpGuest guest)
    {
        var (peer, server) = guest.Connect();
        server.Shutdown(SocketShutdown.Send);
        peer.Receive();
        peer.SendData([], TcpFlags.Fin);
        guest.ReceiveAll();
        Assert.Equal(1, guest.Number("states.timeWait"));
        server.Dispose();
        return peer;
    }
}
