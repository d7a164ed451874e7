using NicHost.Linux;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

public sealed class MessageTests
{
    public static TheoryData<uint> KnownRequests() => [.. Enum.GetValues<Request>().Where(r => MessageShape.Of(r) is not null).Select(r => (uint)r)];

    [Fact]
    public void Message_cut_into_single_bytes_is_read_whole()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        foreach (var one in FrontEnd.Message(Request.SetFeatures, FrontEnd.Words((ulong)Guest.Modern))) front.SendRaw([one]);
        foreach (var one in FrontEnd.Message(Request.GetFeatures, [])) front.SendRaw([one]);
        Assert.Equal((ulong)nic.Device.Offered, front.ReadWord(Request.GetFeatures));
    }

    [Fact]
    public void Several_messages_in_one_piece_are_all_answered()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        var one = FrontEnd.Message(Request.GetFeatures, []);
        front.SendRaw([.. Enumerable.Repeat(one, 200).SelectMany(m => m)]);
        for (var i = 0; i < 200; i++) Assert.Equal((ulong)nic.Device.Offered, front.ReadWord(Request.GetFeatures));
        Assert.False(front.IsClosed);
    }

    [Theory]
    [MemberData(nameof(KnownRequests))]
    public void Size_outside_the_requests_range_ends_the_connection(uint request)
    {
        var shape = MessageShape.Of((Request)request)!.Value;
        foreach (var size in new[] { shape.MinSize - 1, shape.MaxSize + 1, 5000, int.MaxValue, -1 })
        {
            if (size == -1 && shape.MinSize == 0) continue;
            using var nic = Nic.Started();
            using var front = nic.Connect();
            var header = FrontEnd.Message((Request)request, []);
            BitConverter.TryWriteBytes(header.AsSpan(8), size);
            front.SendRaw(header);
            Assert.True(front.IsClosed);
            Assert.Contains(((Request)request).ToString(), Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(KnownRequests))]
    public void Descriptors_that_do_not_belong_end_the_connection_and_are_closed(uint request)
    {
        var shape = MessageShape.Of((Request)request)!.Value;
        foreach (var count in new[] { shape.MinFds - 1, shape.MaxFds + 1, 9, 100 })
        {
            if (count < 0) continue;
            using var nic = Nic.Started();
            var before = Descriptors.Open();
            using (var front = nic.Connect())
            using (var fd = new EventFd())
            {
                front.SendRaw(FrontEnd.Message((Request)request, new byte[shape.MinSize]), [.. Enumerable.Repeat(fd.Raw, count)]);
                Assert.True(front.IsClosed);
            }
            Assert.Single(nic.Backend.Faults);
            Assert.Equal(before, Descriptors.Open());
        }
    }

    [Theory]
    [MemberData(nameof(KnownRequests))]
    public void Connection_cut_inside_a_message_is_forgotten(uint request)
    {
        using var nic = Nic.Started();
        var before = Descriptors.Open();
        var whole = FrontEnd.Message((Request)request, new byte[Math.Max(1, MessageShape.Of((Request)request)!.Value.MinSize)]);
        for (var cut = 1; cut < Math.Min(whole.Length, 40); cut++)
        {
            using (var front = nic.Connect())
            using (var fd = new EventFd())
            {
                front.SendRaw(whole[..cut], fd.Raw);
            }
            Assert.Equal(before, Descriptors.Open());
        }
        using var next = nic.Connect();
        Assert.Equal((ulong)nic.Device.Offered, next.Ask(Request.GetFeatures));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(2u)]
    [InlineData(1u | MessageHeader.FlagReply)]
    public void Wrong_flags_end_the_connection(uint flags)
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        var message = FrontEnd.Message(Request.GetFeatures, []);
        BitConverter.TryWriteBytes(message.AsSpan(4), flags);
        front.SendRaw(message);
        Assert.True(front.IsClosed);
        Assert.Single(nic.Backend.Faults);
    }

    [Fact]
    public void Unknown_request_is_refused_where_an_answer_was_asked_for()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        var before = Descriptors.Open();
        using (var fd = new EventFd()) Assert.Equal(1ul, front.Acked((Request)77, [1, 2, 3], fd.Raw));
        Assert.Equal((ulong)nic.Device.Offered, front.Ask(Request.GetFeatures));
        Assert.Equal(before, Descriptors.Open());
        front.Send((Request)78, [1, 2, 3]);
        Assert.True(front.IsClosed);
    }

    [Fact]
    public void Answer_asked_for_without_reply_ack_is_not_given()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.SetOwner, [], FrontEnd.NeedReply);
        front.Send(Request.SetProtocolFeatures, 0, FrontEnd.NeedReply);
        Assert.Null(front.TryRead());
    }

    [Fact]
    public void Request_that_negotiates_answers_is_itself_answered()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        Assert.Equal(0ul, front.Acked(Request.SetProtocolFeatures, FrontEnd.Words((ulong)ProtocolFeatures.ReplyAck)));
        Assert.Equal(0ul, front.Acked(Request.SetOwner));
        // A request with an answer of its own gets that one only.
        Assert.Equal((ulong)nic.Device.Offered, front.Acked(Request.GetFeatures));
        Assert.Null(front.TryRead());
    }

    [Fact]
    public void Features_that_were_not_offered_are_refused()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        Assert.Equal(1ul, front.Acked(Request.SetFeatures, FrontEnd.Words(1ul << 34)));
        Assert.Equal(1ul, front.Acked(Request.SetProtocolFeatures, FrontEnd.Words(1ul << 17)));
        Assert.Contains("bit34", nic.Backend.Faults[0], StringComparison.Ordinal);
        front.Send(Request.SetFeatures, 1ul << 34);
        Assert.True(front.IsClosed);
    }

    [Fact]
    public void Offered_protocol_features_are_what_every_front_end_needs_and_never_xen_mmap()
    {
        using var nic = Nic.Started(queues: 2);
        using var front = nic.Connect();
        var offered = front.Ask(Request.GetProtocolFeatures);
        Assert.Equal(0b1_1010_0010_0011_1001ul, offered);
        Assert.Equal(64ul, front.Ask(Request.GetMaxMemSlots));
        using var single = Nic.Started();
        Assert.Equal(0ul, (ulong)single.Device.OfferedProtocol & 1);
        using var inBand = Nic.Started(extra: ",\"inBandNotifications\":true");
        Assert.True(inBand.Device.OfferedProtocol.HasFlag(ProtocolFeatures.InbandNotifications));
    }

    [Theory]
    [InlineData(Request.SetVringNum)]
    [InlineData(Request.SetVringBase)]
    [InlineData(Request.SetVringEnable)]
    public void Ring_beyond_the_last_is_refused_with_a_remedy(object request)
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        Assert.Equal(1ul, front.Acked((Request)request, FrontEnd.State(3, 1)));
        Assert.Contains("\"queues\"", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        Assert.Equal(1ul, front.Acked((Request)request, FrontEnd.State(uint.MaxValue, 1)));
        Assert.False(front.IsClosed);
        front.Send(Request.GetVringBase, FrontEnd.State(3, 0));
        Assert.True(front.IsClosed);
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(3u)]
    [InlineData(65536u)]
    [InlineData(uint.MaxValue)]
    public void Ring_size_that_is_no_power_of_two_is_refused(uint size)
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        front.Send(Request.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        Assert.Equal(1ul, front.Acked(Request.SetVringNum, FrontEnd.State(0, size)));
    }

    [Fact]
    public void Descriptor_announced_and_missing_or_unannounced_and_there_ends_the_connection()
    {
        foreach (var withFd in new[] { true, false })
        {
            using var nic = Nic.Started();
            var before = Descriptors.Open();
            using (var front = nic.Connect())
            using (var fd = new EventFd())
            {
                if (withFd) front.Send(Request.SetVringKick, 0 | (1 << 8), 0, fd.Raw);
                else front.Send(Request.SetVringKick, 0);
                Assert.True(front.IsClosed);
            }
            Assert.Equal(before, Descriptors.Open());
        }
    }

    [Fact]
    public void Kick_descriptor_that_cannot_be_waited_for_is_refused()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        using var file = VirtualMemory.CreateMemoryFile("kick", 4096);
        Assert.Equal(1ul, guest.Front.Acked(Request.SetVringKick, FrontEnd.Words(1), file.Raw));
        Assert.Contains("kick", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        Assert.Equal(0ul, guest.Front.Acked(Request.SetVringKick, FrontEnd.Words(1), guest.Kicks[1].Raw));
        guest.Send(new byte[60]);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Front_end_that_never_reads_is_not_read_from_either()
    {
        using var nic = Nic.Started();
        using var front = nic.Connect();
        var one = FrontEnd.Message(Request.GetFeatures, []);
        var batch = Enumerable.Repeat(one, 50).SelectMany(m => m).ToArray();
        var blocked = false;
        for (var i = 0; i < 2000 && !blocked; i++)
        {
            blocked = UnixSocket.SendWithFds(front.Socket.Raw, batch, []).WouldBlock;
            nic.Turn();
        }
        Assert.True(blocked, "our requests were all read though no answer was");
        Assert.False(front.IsClosed);
        using (var drain = new FrontEnd(front.Socket, nic.Turn))
        {
            var answers = 0;
            for (var i = 0; i < 200_000; i++)
            {
                if (drain.TryRead() is null)
                {
                    nic.Turn();
                    if (drain.TryRead() is null) break;
                }
                answers++;
            }
            Assert.True(answers > 1000);
        }
    }

    [Fact]
    public void Mtu_within_the_nics_is_taken_and_beyond_refused()
    {
        using var nic = Nic.Started(mtu: 9000);
        using var front = nic.Connect();
        front.Send(Request.SetProtocolFeatures, (ulong)ProtocolFeatures.ReplyAck);
        Assert.Equal(0ul, front.Acked(Request.NetSetMtu, FrontEnd.Words(9000)));
        Assert.Equal(1ul, front.Acked(Request.NetSetMtu, FrontEnd.Words(9001)));
        Assert.Equal(1ul, front.Acked(Request.NetSetMtu, FrontEnd.Words(67)));
        Assert.Contains("host_mtu", nic.Backend.Faults[0], StringComparison.Ordinal);
    }
}
