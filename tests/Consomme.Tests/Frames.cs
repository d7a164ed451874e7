using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Contracts.Nics;
using NicHost.Testing;

namespace NicHost.Consomme.Tests;

/// <summary>Frames as a guest sends them, written by hand: a second opinion on what the plugin reads.</summary>
internal static class Frames
{
    public static readonly MacAddress GatewayMac = new([0x52, 0x55, 10, 0, 2, 2]);

    public static byte[] Ethernet(ushort type, ReadOnlySpan<byte> payload, MacAddress? from = null, MacAddress? to = null)
    {
        var frame = new byte[14 + payload.Length];
        (to ?? GatewayMac).CopyTo(frame);
        (from ?? Guest.Mac).CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        payload.CopyTo(frame.AsSpan(14));
        return frame;
    }

    /// <summary>An IPv4 or IPv6 packet in a frame.</summary>
    /// <param name="fragment">IPv4: the field of flags and offset.</param>
    public static byte[] Ip(IpAddr from, IpAddr to, byte protocol, ReadOnlySpan<byte> payload, byte ttl = 64, ushort id = 1, ushort fragment = 0x4000)
    {
        var v4 = to.IsV4;
        var packet = new byte[(v4 ? 20 : 40) + payload.Length];
        if (v4)
        {
            packet[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
            packet[8] = ttl;
            packet[9] = protocol;
            from.Write(packet.AsSpan(12));
            to.Write(packet.AsSpan(16));
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(10), (ushort)~TestFrames.Fold(TestFrames.NaiveSum(packet.AsSpan(0, 20))));
        }
        else
        {
            packet[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
            packet[6] = protocol;
            packet[7] = ttl;
            from.WriteV6(packet.AsSpan(8));
            to.WriteV6(packet.AsSpan(24));
        }
        payload.CopyTo(packet.AsSpan(v4 ? 20 : 40));
        return Ethernet(v4 ? (ushort)0x0800 : (ushort)0x86dd, packet, to: to.IsBroadcast ? new MacAddress([255, 255, 255, 255, 255, 255]) : null);
    }

    public static byte[] Udp(IpAddr from, ushort fromPort, IpAddr to, ushort toPort, ReadOnlySpan<byte> payload, byte ttl = 64) =>
        Ip(from, to, 17, UdpSegment(from, fromPort, to, toPort, payload), ttl);

    /// <summary>A UDP header and payload with its checksum.</summary>
    public static byte[] UdpSegment(IpAddr from, ushort fromPort, IpAddr to, ushort toPort, ReadOnlySpan<byte> payload)
    {
        var segment = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), toPort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(4), (ushort)segment.Length);
        payload.CopyTo(segment.AsSpan(8));
        var sum = (ushort)~TestFrames.Fold(Pseudo(from, to, 17, segment.Length) + TestFrames.NaiveSum(segment));
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(6), sum == 0 ? (ushort)0xffff : sum);
        return segment;
    }

    public static byte[] Echo(IpAddr from, IpAddr to, ushort id, ushort sequence, ReadOnlySpan<byte> payload, byte ttl = 64) =>
        Ip(from, to, to.IsV4 ? (byte)1 : (byte)58, EchoMessage(from, to, id, sequence, payload), ttl);

    public static byte[] EchoMessage(IpAddr from, IpAddr to, ushort id, ushort sequence, ReadOnlySpan<byte> payload)
    {
        var message = new byte[8 + payload.Length];
        message[0] = to.IsV4 ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), sequence);
        payload.CopyTo(message.AsSpan(8));
        Complete(message, from, to);
        return message;
    }

    /// <summary>Sets the checksum of an ICMP or ICMPv6 message.</summary>
    public static void Complete(byte[] message, IpAddr from, IpAddr to)
    {
        message[2] = message[3] = 0;
        var pseudo = to.IsV4 ? 0 : Pseudo(from, to, 58, message.Length);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), (ushort)~TestFrames.Fold(pseudo + TestFrames.NaiveSum(message)));
    }

    public static byte[] ArpRequest(IpAddr sender, IpAddr target, MacAddress? mac = null)
    {
        var arp = new byte[28];
        new byte[] { 0, 1, 8, 0, 6, 4, 0, 1 }.CopyTo(arp, 0);
        (mac ?? Guest.Mac).CopyTo(arp.AsSpan(8));
        sender.Write(arp.AsSpan(14));
        target.Write(arp.AsSpan(24));
        return Ethernet(0x0806, arp, to: new MacAddress([255, 255, 255, 255, 255, 255]));
    }

    public static long Pseudo(IpAddr from, IpAddr to, int protocol, int length)
    {
        var addresses = new byte[32];
        var size = from.Write(addresses);
        size += to.Write(addresses.AsSpan(size));
        return TestFrames.NaiveSum(addresses.AsSpan(0, size)) + protocol + length;
    }

    public static byte[] Pattern(int length, int seed = 1) => [.. Enumerable.Range(0, length).Select(i => (byte)((i * 31) + (i >> 8) + seed))];

    /// <summary>Payload of a received UDP frame without IP options or extensions.</summary>
    public static byte[] UdpPayload(byte[] frame) => frame[((frame[12] == 0x08 ? 34 : 54) + 8)..];

    public static ushort Word(byte[] frame, int offset) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(offset));
}
