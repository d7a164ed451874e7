namespace NicHost.Linux.Tests;

public sealed unsafe class DatagramTests
{
    private const uint Loopback = 0x7F000001;

    private static Fd Bound(int family, out SockAddr address)
    {
        Fd fd = new((int)Sockets.CreateUdp(family).OrThrow("create a UDP socket"));
        SockAddr any = family == Sockets.AfInet ? SockAddr.FromIpv4(Loopback, 0) : SockAddr.FromIpv6(UInt128.One, 0);
        Sockets.Bind(fd.Raw, any).OrThrow("bind");
        Sockets.GetSockName(fd.Raw, out address).OrThrow("getsockname");
        return fd;
    }

    [Theory]
    [InlineData(Sockets.AfInet)]
    [InlineData(Sockets.AfInet6)]
    public void Datagrams_travel_with_their_sender(int family)
    {
        using Fd one = Bound(family, out SockAddr oneAddress);
        using Fd two = Bound(family, out SockAddr twoAddress);
        Assert.Equal(5, Sockets.SendTo(one.Raw, "hello"u8, twoAddress).Count);
        byte[] data = new byte[3];
        Assert.Equal(5, Sockets.ReceiveFrom(two.Raw, data, out SockAddr from, MsgFlags.Truncate | MsgFlags.Peek).Count);
        Assert.Equal(oneAddress, from);
        Assert.Equal(5, Sockets.ReceiveQueue(two.Raw).Count);
        Assert.True(Sockets.Connect(two.Raw, oneAddress).Ok);
        Assert.True(Sockets.Disconnect(two.Raw).Ok);
        Assert.Equal(Errno.ENOTCONN, Sockets.GetPeerName(two.Raw, out _).Error);
    }

    [Fact]
    public void Ttl_and_packet_info_come_as_control_messages()
    {
        using Fd one = Bound(Sockets.AfInet, out _);
        using Fd two = Bound(Sockets.AfInet, out SockAddr twoAddress);
        Sockets.SetOption(one.Raw, SocketLevel.Ip, IpOption.Ttl, 42);
        Sockets.SetOption(two.Raw, SocketLevel.Ip, IpOption.RecvTtl, 1);
        Sockets.SetOption(two.Raw, SocketLevel.Ip, IpOption.PktInfo, 1);
        Sockets.SendTo(one.Raw, "x"u8, twoAddress);

        ulong* control = stackalloc ulong[32];
        byte* data = stackalloc byte[8];
        IoVec segment = new(data, 8);
        MsgHdr message = default;
        message.Segments = &segment;
        message.SegmentCount = 1;
        message.Control = (nint)control;
        message.ControlLength = 256;
        Assert.Equal(1, Sockets.RecvMsg(two.Raw, &message).Count);

        int ttl = 0;
        PacketInfo4 info = default;
        ControlReader reader = message.ReadControl();
        while (reader.MoveNext())
        {
            if (reader.Is(SocketLevel.Ip, IpOption.Ttl)) Assert.True(reader.TryRead(out ttl));
            if (reader.Is(SocketLevel.Ip, IpOption.PktInfo)) Assert.True(reader.TryRead(out info));
        }

        Assert.Equal(42, ttl);
        Assert.Equal(Loopback, info.Destination);
        Assert.Equal(ThisProcess.InterfaceIndex("lo").Count, info.InterfaceIndex);
    }

    [Theory]
    [InlineData(Sockets.AfInet)]
    [InlineData(Sockets.AfInet6)]
    public void Segmented_send_arrives_coalesced_with_its_segment_size(int family)
    {
        using Fd one = Bound(family, out _);
        using Fd two = Bound(family, out SockAddr twoAddress);
        Assert.True(Sockets.SetOption(two.Raw, SocketLevel.Udp, UdpOption.Gro, 1).Ok);
        byte[] payload = [.. Enumerable.Range(0, 2500).Select(i => (byte)(i * 7))];
        SockAddr to = twoAddress;
        ulong* control = stackalloc ulong[8];
        ControlWriter writer = new(new Span<byte>(control, 64));
        Assert.True(writer.TryAdd(SocketLevel.Udp, UdpOption.Segment, (ushort)1000));
        Assert.Equal(24, writer.Length);
        fixed (byte* p = payload)
        {
            IoVec segment = new(p, payload.Length);
            MsgHdr message = default;
            message.Name = (nint)(&to);
            message.NameLength = (uint)to.Length;
            message.Segments = &segment;
            message.SegmentCount = 1;
            message.Control = (nint)control;
            message.ControlLength = (nuint)writer.Length;
            Assert.Equal(2500, Sockets.SendMsg(one.Raw, &message).Count);
        }

        byte[] got = new byte[65536];
        int total = 0;
        while (total < 2500)
        {
            Assert.Equal(PollEvents.In, Io.Poll(two.Raw, PollEvents.In, 5000));
            fixed (byte* p = &got[total])
            {
                IoVec segment = new(p, got.Length - total);
                MsgHdr message = default;
                message.Segments = &segment;
                message.SegmentCount = 1;
                message.Control = (nint)control;
                message.ControlLength = 64;
                SysResult result = Sockets.RecvMsg(two.Raw, &message);
                ControlReader reader = message.ReadControl();
                while (reader.MoveNext())
                {
                    if (!reader.Is(SocketLevel.Udp, UdpOption.Gro)) continue;
                    Assert.True(reader.TryRead(out int size));
                    Assert.Equal(1000, size);
                }

                total += result.Count;
            }
        }

        Assert.Equal(payload, got[..2500]);
    }

    [Fact]
    public void Several_datagrams_go_and_come_in_one_call()
    {
        const int Count = 5;
        using Fd one = Bound(Sockets.AfInet, out SockAddr oneAddress);
        using Fd two = Bound(Sockets.AfInet, out SockAddr twoAddress);
        Sockets.Connect(one.Raw, twoAddress);
        byte* data = stackalloc byte[Count * 8];
        IoVec* segments = stackalloc IoVec[Count];
        MMsgHdr* messages = stackalloc MMsgHdr[Count];
        SockAddr* names = stackalloc SockAddr[Count];
        for (int i = 0; i < Count; i++)
        {
            data[i * 8] = (byte)(i + 1);
            segments[i] = new IoVec(data + (i * 8), i + 1);
            messages[i] = default;
            messages[i].Header.Segments = segments + i;
            messages[i].Header.SegmentCount = 1;
        }

        Assert.Equal(Count, Sockets.SendMMsg(one.Raw, messages, Count).Count);
        for (int i = 0; i < Count; i++)
        {
            segments[i].Length = 8;
            messages[i].Header.Name = (nint)(names + i);
            messages[i].Header.NameLength = SockAddr.MaxLength;
            data[i * 8] = 0;
        }

        Assert.Equal(Count, Sockets.RecvMMsg(two.Raw, messages, Count).Count);
        for (int i = 0; i < Count; i++)
        {
            Assert.Equal((uint)(i + 1), messages[i].Length);
            Assert.Equal((byte)(i + 1), data[i * 8]);
            Assert.Equal(oneAddress, names[i]);
        }

        Assert.True(Sockets.RecvMMsg(two.Raw, messages, Count).WouldBlock);
        Assert.Equal(64, sizeof(MMsgHdr));
    }

    [Theory]
    [InlineData(Sockets.AfInet)]
    [InlineData(Sockets.AfInet6)]
    public void Port_unreachable_is_read_from_the_error_queue(int family)
    {
        Fd gone = Bound(family, out SockAddr nobody);
        gone.Dispose();
        using Fd one = Bound(family, out _);
        (int level, int option) = family == Sockets.AfInet ? (SocketLevel.Ip, IpOption.RecvErr) : (SocketLevel.Ipv6, Ipv6Option.RecvErr);
        Sockets.SetOption(one.Raw, level, option, 1);
        byte[] payload = new byte[64];
        Assert.True(ErrorQueue.TryRead(one.Raw, payload, out _).WouldBlock);
        Sockets.SendTo(one.Raw, "lost"u8, nobody);
        Assert.True((Io.Poll(one.Raw, PollEvents.None, 5000) & PollEvents.Error) != 0);

        Assert.True(ErrorQueue.TryRead(one.Raw, payload, out ErrorQueueEntry entry).Ok);

        Assert.Equal(Errno.ECONNREFUSED, entry.Error);
        Assert.Equal(nobody, entry.Destination);
        Assert.Equal("lost"u8.ToArray(), payload[..entry.PayloadLength]);
        Assert.Equal(family == Sockets.AfInet ? ErrorOrigin.Icmp : ErrorOrigin.Icmpv6, entry.Origin);
        Assert.Equal(family == Sockets.AfInet ? (3, 3) : (1, 4), ((int)entry.Type, (int)entry.Code));
        if (family == Sockets.AfInet) Assert.Equal(Loopback, entry.Offender.Ipv4);
        else Assert.Equal(UInt128.One, entry.Offender.Ipv6);
    }

    [Fact]
    public void Datagram_above_the_path_mtu_tells_the_mtu()
    {
        using Fd one = Bound(Sockets.AfInet, out _);
        using Fd two = Bound(Sockets.AfInet, out SockAddr twoAddress);
        Sockets.SetOption(one.Raw, SocketLevel.Ip, IpOption.RecvErr, 1);
        Sockets.SetOption(one.Raw, SocketLevel.Ip, IpOption.MtuDiscover, (int)MtuDiscover.Do);
        Sockets.Connect(one.Raw, twoAddress);
        Assert.True(Sockets.GetOption(one.Raw, SocketLevel.Ip, IpOption.Mtu, out int mtu).Ok);
        if (mtu >= 65535) return; // loopback's MTU is at the top of IPv4: nothing can be above it
        Assert.Equal(Errno.EMSGSIZE, Sockets.Send(one.Raw, new byte[mtu]).Error);
        Assert.True(ErrorQueue.TryRead(one.Raw, new byte[8], out ErrorQueueEntry entry).Ok);
        Assert.Equal((Errno.EMSGSIZE, ErrorOrigin.Local, (uint)mtu), (entry.Error, entry.Origin, entry.Info));
    }
}
