using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.Net;

/// <summary>What UML leaves to the back-end: configuration space, control queue, in-band notifications.</summary>
public sealed class ControlTests
{
    private const NetFeatures Control = Guest.Modern | NetFeatures.CtrlVq | NetFeatures.CtrlRx | NetFeatures.CtrlMacAddr;

    private static byte[] ConfigRequest(uint offset, uint size, int room)
    {
        var payload = new byte[12 + room];
        BitConverter.TryWriteBytes(payload, offset);
        BitConverter.TryWriteBytes(payload.AsSpan(4), size);
        return payload;
    }

    private static byte[] GetConfig(FrontEnd front, uint offset, uint size)
    {
        front.Send(Request.GetConfig, ConfigRequest(offset, size, (int)size));
        return front.ReadReply(Request.GetConfig);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 2)]
    public void Command_is_answered_at_once(int pairs, int controlPair)
    {
        using var nic = Nic.Started(queues: pairs);
        var features = Control | (pairs > 1 ? NetFeatures.Mq : 0);
        using var guest = Guest.Running(nic, features, pairs);
        var index = pairs > 1 ? pairs * 2 : 2;
        Assert.Equal(controlPair * 2, index - 2);
        var ring = new DriverRing(guest.Memory, guest.Allocate(16), 16);
        guest.Allocate(2048);
        using var kick = new EventFd();
        using var call = new EventFd();
        var front = guest.Front;
        front.Send(Request.SetVringNum, FrontEnd.State((uint)index, 16));
        front.Send(Request.SetVringAddr, FrontEnd.Words(
            (ulong)index, GuestFile.ToUser(ring.Descriptors), GuestFile.ToUser(ring.Used), GuestFile.ToUser(ring.Available), 0));
        front.Send(Request.SetVringCall, (ulong)index, 0, call.Raw);
        front.Send(Request.SetVringKick, (ulong)index, 0, kick.Raw);
        front.Send(Request.SetVringEnable, FrontEnd.State((uint)index, 1));

        byte Command(params byte[] bytes)
        {
            call.Drain();
            var at = guest.Allocate(bytes.Length + 1);
            bytes.CopyTo(guest.Memory.Span(at, bytes.Length));
            var answer = at + (ulong)bytes.Length;
            guest.Memory.Span(answer, 1)[0] = 77;
            ring.Add((at, 2, false), (at + 2, bytes.Length - 2, false), (answer, 1, true));
            kick.Signal();
            nic.Turn();
            Assert.Equal(1, ring.Take()!.Value.Length);
            Assert.Equal(1, call.Drain().Count);
            return guest.Memory.Span(answer, 1)[0];
        }

        var state = nic.Device.Control.State;
        Assert.Equal(0, Command(0, 0, 0));
        Assert.False(state.Promiscuous);
        Assert.Equal(0, Command(0, 1, 1));
        Assert.True(state.AllMulticast);
        Assert.Equal(1, Command(0, 1, 1, 1));
        Assert.Equal(0, Command(1, 1, 2, 3, 4, 5, 6, 7));
        Assert.Equal("02:03:04:05:06:07", state.Mac.ToString());
        Assert.Equal(1, Command(1, 1, 2, 3, 4, 5, 6));
        Assert.Equal(0, Command(1, 0, 1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0));
        Assert.Equal(1, Command(1, 0, 2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 0, 0, 0, 0));
        Assert.Equal(1, Command(1, 0, 255, 255, 255, 255, 0, 0, 0, 0));
        Assert.Equal(0, Command(4, 0, (byte)pairs, 0));
        Assert.Equal(pairs, state.Pairs);
        Assert.Equal(1, Command(4, 0, (byte)(pairs + 1), 0));
        Assert.Equal(1, Command(4, 0, 0, 0));
        Assert.Equal(1, Command(2, 0, 1, 0));
        Assert.Equal(1, Command(99, 0, 0));
        guest.Send(new byte[60]);
        Assert.Single(nic.Queue.Frames);

        // A command without a place for its answer breaks the control ring only.
        ring.Add((guest.Allocate(16), 3, false));
        kick.Signal();
        nic.Turn();
        Assert.Contains("no place for its answer", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        guest.Send(new byte[60]);
        Assert.Equal(2, nic.Queue.Frames.Count);
    }

    [Fact]
    public void Configuration_space_is_served_in_any_piece()
    {
        using var nic = Nic.Started(queues: 2, mtu: 9000);
        using var front = nic.Connect();
        byte[] whole = [0x52, 0x54, 0, 0x12, 0x34, 0x56, 1, 0, 2, 0, 0x28, 0x23, 0x10, 0x27, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
        foreach (var size in new uint[] { 1, 2, 3, 4, 5, 6, 8, 12, 24 })
        {
            var reply = GetConfig(front, 0, size);
            Assert.Equal(ConfigRequest(0, size, 0), reply[..12]);
            Assert.Equal(whole[..(int)size], reply[12..]);
        }
        Assert.Equal(whole[10..12], GetConfig(front, 10, 2)[12..]);
        Assert.Equal(new byte[200], GetConfig(front, 24, 200)[12..]);
        Assert.Equal([.. whole[20..], .. new byte[100]], GetConfig(front, 20, 104)[12..]);
    }

    [Theory]
    [InlineData(0u, 257u)]
    [InlineData(256u, 1u)]
    [InlineData(200u, 57u)]
    [InlineData(uint.MaxValue, 2u)]
    [InlineData(2u, uint.MaxValue)]
    public void Configuration_space_beyond_its_end_is_refused_with_an_empty_answer(uint offset, uint size)
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.GetConfig, ConfigRequest(offset, size, 4));
        Assert.Empty(front.ReadReply(Request.GetConfig));
    }

    [Fact]
    public void Link_change_is_announced_on_the_back_ends_channel()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        var (ours, theirs) = UnixSocket.Pair();
        using (ours)
        {
            front.Send(Request.SetProtocolFeatures, (ulong)(ProtocolFeatures.BackendReq | ProtocolFeatures.Config | ProtocolFeatures.ReplyAck));
            Assert.Equal(0ul, front.Acked(Request.SetBackendReqFd, [], theirs.Raw));
            theirs.Dispose();
            nic.Device.SetLink(LinkState.Down);
            Assert.Equal([2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], FrontEnd.TryRead(ours.Raw));
            Assert.Equal(0, GetConfig(front, 6, 2)[12]);
            nic.Device.SetLink(LinkState.Down);
            Assert.Null(FrontEnd.TryRead(ours.Raw));
            nic.Pass(LinkByMessage.DownMilliseconds);
            nic.Device.SetLink(LinkState.Up10G);
            Assert.NotNull(FrontEnd.TryRead(ours.Raw));
            Assert.Equal(1, GetConfig(front, 6, 2)[12]);
        }
        nic.Device.SetLink(LinkState.Down);
        Assert.False(front.IsClosed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stop_waits_a_moment_for_the_guest_to_read_that_the_link_is_down(bool reads)
    {
        var nic = Nic.Started();
        var front = nic.Connect();
        var (ours, theirs) = UnixSocket.Pair();
        front.Send(Request.SetProtocolFeatures, (ulong)(ProtocolFeatures.BackendReq | ProtocolFeatures.Config));
        front.Send(Request.SetBackendReqFd, [], 0, theirs.Raw);
        nic.Device.SetLink(LinkState.Down);
        var stopping = nic.Device.DisposeAsync();
        nic.Turn();
        Assert.False(stopping.IsCompleted);
        Assert.False(File.Exists(nic.Path));
        if (reads) Assert.Equal(0, GetConfig(front, 0, 8)[12 + 6]);
        else nic.Time.Advance(TimeSpan.FromMilliseconds(250));
        Assert.True(front.IsClosed);
        front.Dispose();
        ours.Dispose();
        theirs.Dispose();
        nic.Dispose();
    }

    [Fact]
    public void In_band_front_end_starts_rings_and_hears_of_them_by_messages()
    {
        using var nic = Nic.Started(extra: ",\"inBandNotifications\":true");
        using var guest = new Guest(nic, protocol: ProtocolFeatures.ReplyAck | ProtocolFeatures.BackendReq | ProtocolFeatures.InbandNotifications);
        var (ours, theirs) = UnixSocket.Pair();
        using (ours)
        using (theirs)
        {
            var front = guest.Front;
            guest.Negotiate();
            front.Send(Request.SetBackendReqFd, [], 0, theirs.Raw);
            guest.SendTable();
            for (uint ring = 0; ring < 2; ring++)
            {
                front.Send(Request.SetVringNum, FrontEnd.State(ring, Guest.RingSize));
                front.Send(Request.SetVringBase, FrontEnd.State(ring, 0));
                front.Send(Request.SetVringAddr, guest.Addresses((int)ring));
            }
            for (uint ring = 0; ring < 2; ring++)
            {
                front.Send(Request.SetVringEnable, FrontEnd.State(ring, 1));
                Assert.Equal(0ul, front.Acked(Request.VringKick, FrontEnd.State(ring, 0)));
            }
            while (FrontEnd.TryRead(ours.Raw) is not null) { }
            guest.Send(new byte[60], kick: false);
            front.Send(Request.VringKick, FrontEnd.State(1, 0));
            Assert.Single(nic.Queue.Frames);
            Assert.Equal([4, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], FrontEnd.TryRead(ours.Raw));
            // A front-end that was told of in-band notifications and uses descriptors all the same (QEMU 10).
            front.Send(Request.SetVringKick, 1, 0, guest.Kicks[1].Raw);
            front.Send(Request.SetVringCall, 1, 0, guest.Calls[1].Raw);
            guest.Calls[1].Drain();
            guest.Send(new byte[60]);
            Assert.Equal(2, nic.Queue.Frames.Count);
            Assert.Equal(1, guest.Calls[1].Drain().Count);
        }
    }

    [Fact]
    public void Kick_by_message_without_the_feature_is_refused()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        Assert.Equal(1ul, guest.Front.Acked(Request.VringKick, FrontEnd.State(0, 0)));
    }

    [Fact]
    public void Offered_features_follow_the_endpoint()
    {
        Assert.Equal(
            "Csum GuestCsum Mtu Mac GuestTso4 GuestTso6 GuestEcn HostTso4 HostTso6 HostEcn MrgRxbuf Status CtrlVq CtrlRx Mq CtrlMacAddr AnyLayout "
            + "IndirectDesc EventIdx ProtocolFeatures Version1 InOrder GuestUso4 GuestUso6 HostUso SpeedDuplex",
            NetFeatureMap.Names(NetFeatureMap.Offer(Nic.Everything, Nic.Everything, 2)));
        Assert.Equal(
            "Mtu Mac MrgRxbuf Status CtrlVq CtrlRx CtrlMacAddr AnyLayout IndirectDesc EventIdx ProtocolFeatures Version1 InOrder SpeedDuplex",
            NetFeatureMap.Names(NetFeatureMap.Offer(Contracts.Frames.OffloadSet.AllGso, Contracts.Frames.OffloadSet.AllGso, 1)));
    }

    [Fact]
    public void Inspect_shows_connection_features_and_rings()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Send(new byte[60]);
        var writer = new InspectWriter("nic");
        nic.Device.Inspect(writer);
        object? Find(InspectNode node, params string[] path) =>
            path.Length == 0 ? node.Value : Find(node.Children.Single(c => c.Name == path[0]), path[1..]);
        Assert.Equal("MrgRxbuf ProtocolFeatures Version1", Find(writer.Root, "negotiated"));
        Assert.Equal(nic.Path, Find(writer.Root, "socket"));
        Assert.StartsWith("pid ", (string)Find(writer.Root, "frontEnd")!, StringComparison.Ordinal);
        Assert.Equal("running", Find(writer.Root, "queue0", "tx", "state"));
        Assert.Equal(1L, Find(writer.Root, "queue0", "tx", "nextAvailable"));
        Assert.Equal("stopped", Find(writer.Root, "control", "state"));
    }
}
