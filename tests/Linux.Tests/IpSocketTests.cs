using System.Net;

namespace NicHost.Linux.Tests;

public sealed unsafe class IpSocketTests
{
    private const uint Loopback = 0x7F000001;

    private static Fd Own(SysResult result) => new((int)result.OrThrow("create a socket"));

    private static (Fd Server, Fd Client) TcpPair(int family)
    {
        SockAddr any = family == Sockets.AfInet ? SockAddr.FromIpv4(Loopback, 0) : SockAddr.FromIpv6(UInt128.One, 0);
        using Fd listener = Own(Sockets.CreateTcp(family));
        Sockets.Bind(listener.Raw, any).OrThrow("bind");
        Sockets.Listen(listener.Raw, 4).OrThrow("listen");
        Sockets.GetSockName(listener.Raw, out SockAddr bound).OrThrow("getsockname");
        Fd client = Own(Sockets.CreateTcp(family));
        SysResult connecting = Sockets.Connect(client.Raw, bound);
        Assert.True(connecting.Ok || connecting.Error == Errno.EINPROGRESS);
        Assert.Equal(PollEvents.In, Io.Poll(listener.Raw, PollEvents.In, 5000));
        SysResult accepted = Sockets.Accept(listener.Raw, out SockAddr peer);
        Assert.True(accepted.Ok);
        Sockets.GetSockName(client.Raw, out SockAddr clientName);
        Assert.Equal(clientName, peer);
        Assert.Equal(Errno.None, Sockets.TakeError(client.Raw));
        return (new Fd(accepted.Fd), client);
    }

    [Theory]
    [InlineData(Sockets.AfInet)]
    [InlineData(Sockets.AfInet6)]
    public void Tcp_transfers_segments_peeks_and_discards(int family)
    {
        (Fd server, Fd client) = TcpPair(family);
        using (server)
        using (client)
        {
            byte[] bytes = [.. Enumerable.Range(0, 200).Select(i => (byte)i)];
            fixed (byte* p = bytes)
            {
                Assert.Equal(200, Sockets.SendMsg(client.Raw, [new IoVec(p, 150), new IoVec(p + 150, 50)]).Count);
            }

            Assert.Equal(PollEvents.In, Io.Poll(server.Raw, PollEvents.In, 5000));
            Assert.Equal(200, Sockets.ReceiveQueue(server.Raw).Count);
            byte[] got = new byte[200];
            fixed (byte* p = got)
            {
                Assert.Equal(200, Sockets.RecvMsg(server.Raw, [new IoVec(p, 7), new IoVec(p + 7, 193)], MsgFlags.Peek).Count);
                Assert.Equal(bytes, got);
                Assert.Equal(60, Sockets.Discard(server.Raw, 60).Count);
                Assert.Equal(140, Io.ReadV(server.Raw, [new IoVec(p, 200)]).Count);
            }

            Assert.Equal(bytes[60..], got[..140]);
            Assert.True(Sockets.Discard(server.Raw, 1).WouldBlock);
            Assert.True(Sockets.Shutdown(client.Raw, ShutdownHow.Write).Ok);
            Assert.Equal(PollEvents.In, Io.Poll(server.Raw, PollEvents.In, 5000));
            Assert.Equal(0, Sockets.Receive(server.Raw, got).Value);
        }
    }

    [Fact]
    public void Peek_offset_moves_through_unread_data_where_the_kernel_has_it()
    {
        (Fd server, Fd client) = TcpPair(Sockets.AfInet);
        using (server)
        using (client)
        {
            SysResult supported = Sockets.SetPeekOffset(server.Raw, 0);
            if (supported.Failed)
            {
                Assert.True(supported.Error is Errno.EOPNOTSUPP or Errno.ENOPROTOOPT);
                return;
            }

            Sockets.Send(client.Raw, "abcdef"u8);
            Io.Poll(server.Raw, PollEvents.In, 5000);
            byte[] two = new byte[2];
            Sockets.Receive(server.Raw, two, MsgFlags.Peek);
            Sockets.Receive(server.Raw, two, MsgFlags.Peek);
            Assert.Equal("cd"u8.ToArray(), two);
            Sockets.SetPeekOffset(server.Raw, 1);
            Sockets.Receive(server.Raw, two, MsgFlags.Peek);
            Assert.Equal("bc"u8.ToArray(), two);
        }
    }

    [Fact]
    public void Tcp_info_is_filled_up_to_the_windows()
    {
        (Fd server, Fd client) = TcpPair(Sockets.AfInet);
        using (server)
        using (client)
        {
            Sockets.Send(client.Raw, new byte[1000]);
            Io.Poll(server.Raw, PollEvents.In, 5000);
            SysResult size = Sockets.GetTcpInfo(client.Raw, out TcpInfo info);
            Assert.True(size.Count >= TcpInfo.SizeWithSndWnd, $"the kernel fills {size.Count} bytes");
            Assert.Equal(TcpState.Established, info.State);
            Assert.Equal(1000u, info.BytesSent - info.BytesRetrans);
            Assert.InRange(info.SndMss, 500u, 65_535u);
            Assert.InRange(info.SndWnd, 1000u, uint.MaxValue);
            Assert.InRange(info.SndWscale, 0, 14);
            Assert.Equal(TcpInfo.SizeWithRcvWnd, 4 + (int)System.Runtime.InteropServices.Marshal.OffsetOf<TcpInfo>(nameof(TcpInfo.RcvWnd)));
            Sockets.GetTcpInfo(server.Raw, out TcpInfo serverInfo);
            Assert.Equal(1000ul, serverInfo.BytesReceived);
        }
    }

    [Fact]
    public void Options_are_set_and_read_back()
    {
        using Fd tcp = Own(Sockets.CreateTcp(Sockets.AfInet));
        (int Level, int Option, int Value)[] options =
        [
            (SocketLevel.Socket, SocketOption.ReuseAddr, 1), (SocketLevel.Socket, SocketOption.KeepAlive, 1), (SocketLevel.Tcp, TcpOption.NoDelay, 1),
            (SocketLevel.Tcp, TcpOption.MaxSeg, 1400), (SocketLevel.Tcp, TcpOption.KeepIdle, 77), (SocketLevel.Tcp, TcpOption.KeepIntvl, 7),
            (SocketLevel.Tcp, TcpOption.KeepCnt, 3), (SocketLevel.Tcp, TcpOption.UserTimeout, 12_345), (SocketLevel.Tcp, TcpOption.NotSentLowat, 16_384),
            (SocketLevel.Ip, IpOption.Ttl, 33), (SocketLevel.Ip, IpOption.Tos, 0x10), (SocketLevel.Ip, IpOption.MtuDiscover, (int)MtuDiscover.Do),
        ];
        foreach ((int level, int option, int value) in options)
        {
            Assert.True(Sockets.SetOption(tcp.Raw, level, option, value).Ok, $"set {level} {option}");
            Assert.True(Sockets.GetOption(tcp.Raw, level, option, out int read).Ok, $"get {level} {option}");
            Assert.Equal((level, option, value), (level, option, read));
        }

        Sockets.SetOption(tcp.Raw, SocketLevel.Socket, SocketOption.Linger, new Linger { OnOff = 1, Seconds = 9 });
        Sockets.GetOption(tcp.Raw, SocketLevel.Socket, SocketOption.Linger, out Linger linger);
        Assert.Equal((1, 9), (linger.OnOff, linger.Seconds));
        Assert.True(Sockets.GetMemory(tcp.Raw, out SocketMemory memory).Ok);
        Assert.True(Sockets.GetOption(tcp.Raw, SocketLevel.Socket, SocketOption.SndBuf, out int sndBuf).Ok);
        Assert.Equal((uint)sndBuf, memory.SndBuf);
        Assert.Equal(Errno.ENODEV, Sockets.BindToDevice(tcp.Raw, "no-such-dev").Error);
        Assert.True(Sockets.BindToDevice(tcp.Raw, "lo").Ok);

        using Fd udp6 = Own(Sockets.CreateUdp(Sockets.AfInet6));
        foreach (int option in new[] { Ipv6Option.V6Only, Ipv6Option.RecvErr, Ipv6Option.RecvPktInfo, Ipv6Option.RecvHopLimit, Ipv6Option.RecvTclass })
        {
            Assert.True(Sockets.SetOption(udp6.Raw, SocketLevel.Ipv6, option, 1).Ok, $"set IPv6 {option}");
            Sockets.GetOption(udp6.Raw, SocketLevel.Ipv6, option, out int read);
            Assert.Equal(1, read);
        }
    }

    [Fact]
    public void Refused_connection_ends_as_refused()
    {
        using Fd free = Own(Sockets.CreateTcp(Sockets.AfInet));
        Sockets.Bind(free.Raw, SockAddr.FromIpv4(Loopback, 0));
        Sockets.GetSockName(free.Raw, out SockAddr nobody);
        using Fd client = Own(Sockets.CreateTcp(Sockets.AfInet));
        SysResult result = Sockets.Connect(client.Raw, nobody);
        Errno error = result.Error;
        if (error == Errno.EINPROGRESS)
        {
            Io.Poll(client.Raw, PollEvents.Out, 5000);
            error = Sockets.TakeError(client.Raw);
        }

        Assert.Equal(Errno.ECONNREFUSED, error);
    }

    [Fact]
    public void Closing_with_reset_resets()
    {
        (Fd server, Fd client) = TcpPair(Sockets.AfInet);
        using (client)
        {
            Sockets.CloseWithReset(server.Release());
            Assert.True((Io.Poll(client.Raw, PollEvents.In, 5000) & PollEvents.Error) != 0);
            Assert.Equal(Errno.ECONNRESET, Sockets.Receive(client.Raw, new byte[1]).Error);
        }
    }

    [Fact]
    public void Sending_to_a_closed_peer_is_EPIPE_and_no_signal()
    {
        (Fd server, Fd client) = TcpPair(Sockets.AfInet);
        using (client)
        {
            server.Dispose();
            Sockets.Shutdown(client.Raw, ShutdownHow.Write);
            Assert.Equal(Errno.EPIPE, Sockets.Send(client.Raw, "x"u8).Error);
        }
    }

    [Theory]
    [InlineData("10.0.2.15", 80)]
    [InlineData("255.255.255.255", 65535)]
    [InlineData("fe80::1%7", 53)]
    [InlineData("2001:db8::1:2", 1)]
    public void Address_converts_both_ways(string address, int port)
    {
        IPEndPoint endPoint = new(IPAddress.Parse(address), port);
        SockAddr converted = SockAddr.FromEndPoint(endPoint);
        Assert.Equal(endPoint, converted.ToEndPoint());
        Assert.Equal(endPoint.Serialize().Buffer.Span[..converted.Length].ToArray(), new ReadOnlySpan<byte>(&converted, converted.Length).ToArray());
        Assert.Equal(converted, SockAddr.FromEndPoint(endPoint));
        Assert.Equal(converted.GetHashCode(), SockAddr.FromEndPoint(endPoint).GetHashCode());
        Assert.Equal(28, sizeof(SockAddr));
    }

    [Fact]
    public void Addresses_are_numbers_as_people_read_them()
    {
        Assert.Equal("10.0.2.2:53", SockAddr.FromIpv4(0x0A000202, 53).ToString());
        Assert.Equal("[fd00::2]:53", SockAddr.FromIpv6(new UInt128(0xFD00_0000_0000_0000, 2), 53).ToString());
        Assert.Equal(0x0A000202u, SockAddr.FromIpv4([10, 0, 2, 2], 1).Ipv4);
        Assert.Equal("none", default(SockAddr).ToString());
        Assert.NotEqual(SockAddr.FromIpv4(1, 2), SockAddr.FromIpv4(1, 3));
    }
}
