using System.Net;
using System.Net.Sockets;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>Flows: how long they live, how many there are, what they cost.</summary>
public sealed class UdpFlowTests : UdpRig
{
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
}
