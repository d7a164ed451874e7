using NicHost.Consomme.Tcp;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Tcp;

public sealed class TcpAllocationTests
{
    [Theory]
    [InlineData(OffloadSet.None)]
    [InlineData(OffloadSet.Checksum | OffloadSet.TsoV4)]
    public void Data_in_both_directions_allocates_nothing(OffloadSet accepted)
    {
        using var guest = new TcpGuest(accepted: accepted, buffers: 1024);
        var (peer, server) = guest.Connect(options: [.. Segment.MssOption(1460), .. Segment.ScaleOption(7)]);
        guest.Guest.Device.Record = false;
        var sink = new byte[1 << 20];
        var bulk = Frames.Pattern(20_000);
        using var tx = new TxBuilder();
        long allocated = 0;
        for (var round = 0; round < 300; round++)
        {
            tx.Clear();
            for (var i = 0; i < 10; i++)
            {
                // Everything that has come is acknowledged: what was committed tells how much that is.
                tx.Add(peer.Make(TcpFlags.Ack, bulk[..1460]).ToFrame());
                peer.Next += 1460;
            }
            server.Send(bulk);
            var before = GC.GetAllocatedBytesForCurrentThread();
            tx.Offer(guest.Guest.Queue);
            guest.Guest.Loop.RunOnce();
            guest.Guest.Loop.RunOnce();
            // The first rounds make lists grow and code compile.
            if (round > 100) allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            while (server.Available > 0) server.Receive(sink);
            peer.Expected = peer.SynAck.Seq + 1 + (uint)guest.FlowNumber("toGuest") - 1;
        }
        Assert.Equal(0, allocated);
        Assert.True(guest.FlowNumber("toGuest") > 1_000_000);
        server.Dispose();
    }
}
