using System.Net;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>What an IP header says beside the addresses travels along.</summary>
public sealed class UdpTrafficClassTests : UdpRig
{
    [Theory]
    [MemberData(nameof(Versions))]
    public void Congestion_and_class_bits_travel_both_ways(bool v4)
    {
        var guest = Make();
        var host = HostSocket(v4);
        host.Socket.SetRawSocketOption(v4 ? 0 : 41, v4 ? 13 : 66, BitConverter.GetBytes(1)); // IP_RECVTOS, IPV6_RECVTCLASS
        host.Socket.SetRawSocketOption(v4 ? 0 : 41, v4 ? 1 : 67, BitConverter.GetBytes(0xb9)); // IP_TOS, IPV6_TCLASS
        var frame = Frames.Udp(Us(v4), 5000, Gateway(v4), host.Port, [1]);
        if (v4)
        {
            frame[15] = 0xb9;
            frame.AsSpan(24, 2).Clear();
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), (ushort)~TestFrames.Fold(TestFrames.NaiveSum(frame.AsSpan(14, 20))));
        }
        else
        {
            frame[14] = 0x6b;
            frame[15] = 0x90;
        }
        guest.Send(frame);
        Assert.Equal(0xb9, TrafficClassOf(host));
        host.Send([2], new IPEndPoint(v4 ? IPAddress.Loopback : IPAddress.IPv6Loopback, _from));
        var answer = guest.Receive();
        Assert.Equal(0xb9, v4 ? answer[15] : (byte)(Frames.Word(answer, 14) >> 4));
    }

    private int _from;

    /// <summary>Receives one datagram with its control message.</summary>
    private unsafe int TrafficClassOf(HostSocket host)
    {
        var fd = (int)host.Socket.Handle;
        Assert.NotEqual(Linux.PollEvents.None, Linux.Io.Poll(fd, Linux.PollEvents.In, 10_000));
        var control = stackalloc ulong[16];
        var payload = stackalloc byte[16];
        var name = default(Linux.SockAddr);
        var segment = new Linux.IoVec(payload, 16);
        var message = new Linux.MsgHdr
        {
            Name = (nint)(&name), NameLength = Linux.SockAddr.MaxLength, Segments = &segment, SegmentCount = 1, Control = (nint)control, ControlLength = 128,
        };
        Linux.Sockets.RecvMsg(fd, &message).OrThrow("receive");
        _from = name.Port;
        var reader = message.ReadControl();
        return reader.MoveNext() ? reader.Data[0] : -1;
    }
}
