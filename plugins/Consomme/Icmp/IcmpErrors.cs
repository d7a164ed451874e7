using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;
using NicHost.Wire;

namespace NicHost.Consomme.Icmp;

/// <summary>Builds ICMP (RFC 792) and ICMPv6 (RFC 4443) errors for the guest, through one token bucket.</summary>
internal sealed class IcmpErrors(Network network, IGuestPort port, IEventLoop loop) : IIcmpErrors
{
    private const int PerSecond = 1000;
    private const int Burst = 100;

    /// <summary>Ethernet, IP and ICMP header and the longest quote: the private copy of a frame.</summary>
    private const int MaxFrame = 14 + 40 + 8 + GuestFrame.HeaderCapacity;
    private const int IcmpHeader = 8;

    private long _tokensAt = loop.NowMilliseconds;
    private int _tokens = Burst;

    public long Sent { get; private set; }

    public long Suppressed { get; private set; }

    public void Send(ref GuestFrame about, IcmpError error, IpAddr source = default, int mtu = 0)
    {
        // RFC 1122 3.2.2: never about a message to a group, from no one, or about an error.
        if (about.Destination.IsMulticast || about.Destination.IsBroadcast || about.Source.IsUnspecified || IsIcmpError(about)) return;
        SendQuote(about.Queue, about.Source, about.Network, error, source, mtu);
    }

    [SkipLocalsInit]
    public void Send(int queue, in FlowKey flow, byte protocol, ReadOnlySpan<byte> transport, IcmpError error, IpAddr source = default, int mtu = 0)
    {
        Span<byte> quote = stackalloc byte[FrameWriter.Ipv6Header + 128];
        transport = transport[..Math.Min(transport.Length, 128)];
        var header = flow.Guest.IsV4
            ? FrameWriter.WriteIpv4(quote, flow.Guest, flow.Remote, protocol, transport.Length, 1, 0, 0, 0)
            : FrameWriter.WriteIpv6(quote, flow.Guest, flow.Remote, protocol, transport.Length, 1, 0);
        transport.CopyTo(quote[header..]);
        SendQuote(queue, flow.Guest, quote[..(header + transport.Length)], error, source, mtu);
    }

    [SkipLocalsInit]
    private void SendQuote(int queue, IpAddr guest, ReadOnlySpan<byte> quote, IcmpError error, IpAddr source, int mtu)
    {
        if (!Take()) return;
        var v4 = guest.IsV4;
        // No offender known, or one that the guest's IP version cannot name: the gateway speaks.
        if (source == default || source.IsV4 != v4) source = v4 ? network.GatewayV4 : guest.IsLinkLocal ? network.GatewayLinkLocal : network.GatewayV6;
        var room = Math.Min(GuestFrame.HeaderCapacity, network.Mtu - (v4 ? FrameWriter.Ipv4Header : FrameWriter.Ipv6Header) - IcmpHeader);
        quote = quote[..Math.Min(quote.Length, room)];

        Span<byte> frame = stackalloc byte[MaxFrame];
        var length = IcmpHeader + quote.Length;
        var at = FrameWriter.WriteIp(frame, network, source, guest, v4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, length, 255);
        var message = frame.Slice(at, length);
        var (type, code) = v4 ? TypeV4(error) : TypeV6(error);
        message[0] = type;
        message[1] = code;
        message[2..IcmpHeader].Clear();
        if (error == IcmpError.PacketTooBig)
        {
            if (v4) BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)Math.Clamp(mtu, 0, ushort.MaxValue));
            else BinaryPrimitives.WriteInt32BigEndian(message[4..], mtu);
        }
        quote.CopyTo(message[IcmpHeader..]);
        var sum = v4 ? default : InternetSum.WithPseudoHeader(source, guest, IpProtocol.Icmpv6, length);
        sum.Add(message);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], sum.Checksum);
        if (port.Send(queue, frame[..(at + length)])) Sent++;
    }

    private static (byte Type, byte Code) TypeV4(IcmpError error) => error switch
    {
        IcmpError.NetUnreachable => (3, 0),
        IcmpError.HostUnreachable => (3, 1),
        IcmpError.PortUnreachable => (3, 3),
        IcmpError.PacketTooBig => (3, 4),
        IcmpError.TimeExceeded => (11, 0),
        _ => (3, 13),
    };

    private static (byte Type, byte Code) TypeV6(IcmpError error) => error switch
    {
        IcmpError.NetUnreachable => (1, 0),
        IcmpError.HostUnreachable => (1, 3),
        IcmpError.PortUnreachable => (1, 4),
        IcmpError.PacketTooBig => (2, 0),
        IcmpError.TimeExceeded => (3, 0),
        _ => (1, 1),
    };

    private static bool IsIcmpError(in GuestFrame frame) => frame.Transport.IsEmpty || frame.Protocol switch
    {
        IpProtocol.Icmp => frame.Transport[0] is not (8 or 0 or 13 or 14),
        IpProtocol.Icmpv6 => frame.Transport[0] < 128,
        _ => false,
    };

    private bool Take()
    {
        var now = loop.NowMilliseconds;
        var earned = (now - _tokensAt) * PerSecond / 1000;
        if (earned > 0)
        {
            _tokens = (int)Math.Min(Burst, _tokens + earned);
            _tokensAt = now;
        }
        if (_tokens == 0)
        {
            Suppressed++;
            return false;
        }
        _tokens--;
        return true;
    }
}
