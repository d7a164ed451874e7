using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Wire;

namespace NicHost.Consomme.Ip;

/// <summary>Sends complete transport messages (checksum done) to the guest, in fragments where they exceed its MTU.</summary>
internal sealed class IpSender(Network network, IGuestPort port)
{
    private const ushort MoreFragments = 0x2000;
    private const int FragmentHeader = 8;
    private uint _id = (uint)Random.Shared.Next();

    public long Fragments { get; private set; }

    [SkipLocalsInit]
    public bool Send(int queue, IpAddr source, IpAddr destination, byte protocol, ReadOnlySpan<byte> message, byte hopLimit = 64)
    {
        if (message.Length > network.Mtu - (source.IsV4 ? FrameWriter.Ipv4Header : FrameWriter.Ipv6Header))
            return SendFragments(queue, source, destination, protocol, default, message, hopLimit);
        Span<byte> headers = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header];
        var length = FrameWriter.WriteIp(headers, network, source, destination, protocol, message.Length, hopLimit);
        return port.Send(queue, headers[..length], message, default);
    }

    /// <summary>Sends a message in fragments; it comes in two parts, so that a transport header need not stand next to its payload.</summary>
    /// <param name="start">The first part, at most 64 bytes, a multiple of 8 unless empty.</param>
    [SkipLocalsInit]
    public bool SendFragments(
        int queue, IpAddr source, IpAddr destination, byte protocol, ReadOnlySpan<byte> start, ReadOnlySpan<byte> rest, byte hopLimit = 64)
    {
        Span<byte> headers = stackalloc byte[FrameWriter.Ethernet + FrameWriter.Ipv6Header + FragmentHeader + 64];
        var v4 = source.IsV4;
        var chunk = Chunk(v4);
        var total = start.Length + rest.Length;
        var id = NextId();
        for (var offset = 0; offset < total;)
        {
            var length = Math.Min(chunk, total - offset);
            var at = WriteHeaders(headers, source, destination, protocol, offset, length, offset + length < total, id, hopLimit);
            // The first part is shorter than any fragment: it goes whole into the first one.
            var own = offset == 0 ? start : default;
            own.CopyTo(headers[at..]);
            var from = offset == 0 ? 0 : offset - start.Length;
            if (!port.Send(queue, headers[..(at + own.Length)], rest.Slice(from, length - own.Length), default)) return false;
            Fragments++;
            offset += length;
        }
        return true;
    }

    /// <summary>The most payload of a fragment, a multiple of 8.</summary>
    public int Chunk(bool v4) => (network.Mtu - (v4 ? FrameWriter.Ipv4Header : FrameWriter.Ipv6Header + FragmentHeader)) & ~7;

    public uint NextId() => ++_id;

    /// <summary>Writes Ethernet and IP header of one fragment.</summary>
    /// <returns>Where its payload starts.</returns>
    public int WriteHeaders(
        Span<byte> headers, IpAddr source, IpAddr destination, byte protocol, int offset, int length, bool more, uint id, byte hopLimit)
    {
        var v4 = source.IsV4;
        FrameWriter.WriteEthernet(headers, network.GuestMac, network.GatewayMac, v4 ? FrameWriter.EtherTypeIpv4 : FrameWriter.EtherTypeIpv6);
        var ip = headers[FrameWriter.Ethernet..];
        if (v4)
        {
            var field = (ushort)((offset / 8) | (more ? MoreFragments : 0));
            return FrameWriter.Ethernet + FrameWriter.WriteIpv4(ip, source, destination, protocol, length, hopLimit, 0, (ushort)id, field);
        }
        FrameWriter.WriteIpv6(ip, source, destination, IpProtocol.Fragment, FragmentHeader + length, hopLimit, 0);
        var extension = ip[FrameWriter.Ipv6Header..];
        extension[0] = protocol;
        extension[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(extension[2..], (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(extension[4..], id);
        return FrameWriter.Ethernet + FrameWriter.Ipv6Header + FragmentHeader;
    }
}
