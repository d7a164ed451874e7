using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using NicHost.Consomme.Core;
using NicHost.Linux;
using NicHost.Wire;

namespace NicHost.Consomme.Udp;

/// <summary>Brings ICMP errors that reached our sockets to the guest, as the routers on the way sent them.</summary>
internal sealed class UdpErrors(UdpProtocol protocol, NatContext context)
{
    private const int MaxEntries = 64;
    private const int QuotedPayload = 64;

    /// <summary>What the queue held.</summary>
    public enum Told
    {
        Nothing,

        /// <summary>About datagrams sent before.</summary>
        Earlier,

        /// <summary>About the datagram just refused: too long for the path.</summary>
        Local,
    }

    public long Relayed { get; private set; }

    /// <summary>What the path takes, as the last <see cref="Told.Local"/> said.</summary>
    public int LocalMtu { get; private set; }

    public static int SmallestMtu(bool v4) => v4 ? 576 : 1280;

    [SkipLocalsInit]
    public Told Drain(UdpSocket socket)
    {
        Span<byte> quote = stackalloc byte[FrameWriter.UdpHeader + QuotedPayload];
        var told = Told.Nothing;
        for (var i = 0; i < MaxEntries; i++)
        {
            if (ErrorQueue.TryRead(socket.Fd, quote[FrameWriter.UdpHeader..], out var entry).Failed) break;
            if (entry.Origin == ErrorOrigin.Local)
            {
                // The kernel names no port here when the socket is not connected, and a guest ignores an error without its ports:
                // the sender, which knows the datagram, tells it.
                LocalMtu = Math.Max((int)entry.Info, SmallestMtu(socket.IsV4));
                told = Told.Local;
                continue;
            }
            if (told != Told.Local) told = Told.Earlier;
            Relay(socket, entry, quote);
        }
        // Without an entry there may still be a pending error, which only reading it takes away.
        if (told == Told.Nothing) Sockets.TakeError(socket.Fd);
        return told;
    }

    private void Relay(UdpSocket socket, in ErrorQueueEntry entry, Span<byte> quote)
    {
        if (Sock.Meaning(entry) is not { } meaning || entry.Destination.IsNone) return;
        UdpEnd guest, remote;
        if (socket.Flow is { } flow)
        {
            guest = flow.Guest;
            remote = protocol.Seen(entry.Destination);
        }
        else if (protocol.Table.FindPeer(socket, entry.Destination) is { } peer)
        {
            guest = peer.Guest;
            remote = peer.Visible;
        }
        else
        {
            return;
        }
        var length = FrameWriter.UdpHeader + entry.PayloadLength;
        BinaryPrimitives.WriteUInt16BigEndian(quote, guest.Port);
        BinaryPrimitives.WriteUInt16BigEndian(quote[2..], remote.Port);
        BinaryPrimitives.WriteUInt16BigEndian(quote[4..], (ushort)length);
        quote[6..8].Clear();
        var key = new FlowKey(guest.Address, remote.Address, guest.Port, remote.Port);
        var source = Offender(entry.Offender, remote.Address);
        var mtu = meaning == IcmpError.PacketTooBig ? Math.Max((int)entry.Info, SmallestMtu(socket.IsV4)) : 0;
        context.Icmp.Send(socket.Queue, key, IpProtocol.Udp, quote[..length], meaning, source, mtu);
        Relayed++;
    }

    /// <summary>The router that complained; the gateway stands for addresses that mean nothing to the guest.</summary>
    private IpAddr Offender(in SockAddr offender, IpAddr remote)
    {
        var address = Sock.Address(offender);
        if (offender.IsNone || address.IsUnspecified) return default;
        if (address.IsLoopback) return context.Network.IsGateway(remote) ? remote : default;
        return context.Network.InSubnet(address) ? default : address;
    }
}
