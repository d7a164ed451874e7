using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Contracts.Frames;
using NicHost.Wire;

namespace NicHost.Consomme.Tcp;

/// <summary>Writes Ethernet, IP and TCP headers of segments to the guest.</summary>
internal static class FrameLayout
{
    public const int Ethernet = FrameLimits.EthernetHeader;
    public const int TcpHeader = 20;
    public const int TimestampOption = 12;
    public const int MaxHeaders = Ethernet + 40 + 60;
    public const byte Protocol = 6;
    private const byte HopLimit = 64;
    private const ushort DontFragment = 0x4000;

    public static int IpHeader(bool v4) => v4 ? 20 : 40;

    /// <summary>Bytes of all headers of a data segment.</summary>
    public static int HeaderLength(bool v4, bool timestamps) =>
        Ethernet + IpHeader(v4) + TcpHeader + (timestamps ? TimestampOption : 0);

    /// <summary>The part of every pseudo header's sum that does not change in a flow.</summary>
    public static uint PseudoSum(in FlowKey key)
    {
        Span<byte> addresses = stackalloc byte[32];
        var length = key.Remote.Write(addresses);
        length += key.Guest.Write(addresses[length..]);
        return InternetChecksum.Add(Protocol, addresses[..length]);
    }

    /// <summary>Writes Ethernet and IP headers from the flow's remote address to the guest's.</summary>
    /// <param name="tcpLength">Bytes of TCP header and payload.</param>
    /// <returns>Offset of the TCP header.</returns>
    public static int WriteIp(Span<byte> frame, Network network, in FlowKey key, uint pseudoSum, int tcpLength)
    {
        network.GuestMac.CopyTo(frame);
        network.GatewayMac.CopyTo(frame[6..]);
        if (!key.Guest.IsV4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x86dd);
            var header = frame.Slice(Ethernet, 40);
            BinaryPrimitives.WriteUInt32BigEndian(header, 0x6000_0000);
            BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)tcpLength);
            header[6] = Protocol;
            header[7] = HopLimit;
            key.Remote.WriteV6(header[8..]);
            key.Guest.WriteV6(header[24..]);
            return Ethernet + 40;
        }
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], 0x0800);
        var ip = frame.Slice(Ethernet, 20);
        var total = 20 + tcpLength;
        BinaryPrimitives.WriteUInt16BigEndian(ip, 0x4500);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)total);
        BinaryPrimitives.WriteUInt32BigEndian(ip[4..], DontFragment);
        ip[8] = HopLimit;
        ip[9] = Protocol;
        // The pseudo header's sum has addresses and protocol in it already.
        var sum = pseudoSum + 0x4500 + (uint)total + DontFragment + (HopLimit << 8);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~InternetChecksum.Fold(sum));
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], key.Remote.V4);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], key.Guest.V4);
        return Ethernet + 20;
    }

    /// <summary>Writes the fixed part of a TCP header; the checksum field gets the pseudo header's sum (a partial checksum).</summary>
    /// <param name="headerLength">Bytes of header with options.</param>
    /// <param name="tcpLength">Bytes of header and payload.</param>
    public static void WriteTcp(
        Span<byte> tcp, in FlowKey key, uint pseudoSum, uint seq, uint ack, TcpFlags flags, int window, int headerLength, int tcpLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(tcp, key.RemotePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], key.GuestPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], seq);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], ack);
        tcp[12] = (byte)(headerLength << 2);
        tcp[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], (ushort)window);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], InternetChecksum.Fold(pseudoSum + (uint)tcpLength));
        tcp[18] = tcp[19] = 0;
    }

    /// <summary>Writes the padded timestamps option.</summary>
    public static void WriteTimestamps(Span<byte> options, uint value, uint echo)
    {
        BinaryPrimitives.WriteUInt32BigEndian(options, 0x0101080a);
        BinaryPrimitives.WriteUInt32BigEndian(options[4..], value);
        BinaryPrimitives.WriteUInt32BigEndian(options[8..], echo);
    }

    /// <summary>Completes a partial checksum of a segment that lies in one piece.</summary>
    public static void CompleteChecksum(Span<byte> tcp) =>
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], InternetChecksum.Compute(tcp));
}
