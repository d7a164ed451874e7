using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <content>Packets longer than the MTU: IPv4 fragments (RFC 791) and IPv6 fragment headers (RFC 8200, 4.5).</content>
public sealed unsafe partial class ProbeStack
{
    private const int FragmentHeader = 8;

    private uint _fragmentId = 1;

    private bool SendFragments(ref OutPacket packet)
    {
        var whole = new byte[packet.Length];
        packet.Header.CopyTo(whole);
        packet.Body.CopyTo(whole.AsSpan(packet.Header.Length));

        // SAFETY: the tail is guest memory of that length, as the caller says.
        new ReadOnlySpan<byte>(packet.Tail, packet.TailLength).CopyTo(whole.AsSpan(packet.Header.Length + packet.Body.Length));
        var sum = packet.Checksum == ChecksumKind.Plain ? 0 : InetChecksum.Pseudo(packet.Source, packet.Destination, packet.Protocol, whole.Length);
        var field = whole.AsSpan(packet.ChecksumOffset, 2);
        field.Clear();
        InetChecksum.Store(field, InetChecksum.Add(sum, whole));

        var extra = packet.Source.IsV6 ? FragmentHeader : 0;
        var room = (Mtu - (packet.Source.IsV6 ? Proto.Ipv6Header : Proto.Ipv4Header) - extra) / 8 * 8;
        var id = _ipId++;
        _fragmentId++;
        for (var offset = 0; offset < whole.Length; offset += room)
        {
            var part = whole.AsSpan(offset, Math.Min(room, whole.Length - offset));
            if (!SendFragment(packet, part, offset, offset + part.Length < whole.Length, id)) return false;
        }
        return true;
    }

    private bool SendFragment(in OutPacket packet, ReadOnlySpan<byte> part, int offset, bool more, ushort id)
    {
        if (!_link.TryBegin(packet.Flow, MaxHeaders + part.Length, out var frame)) return false;
        WriteEthernet(frame, packet.NextHop, packet.Source.IsV6 ? Proto.EtherIpv6 : Proto.EtherIpv4);
        int start;
        if (packet.Source.IsV6)
        {
            start = WriteIp(frame, packet, part.Length + FragmentHeader, id, 0);
            frame[Proto.Ethernet + 6] = 44;
            frame[start] = packet.Protocol;
            frame[start + 1] = 0;
            BinaryPrimitives.WriteUInt16BigEndian(frame[(start + 2)..], (ushort)(offset | (more ? 1 : 0)));
            BinaryPrimitives.WriteUInt32BigEndian(frame[(start + 4)..], _fragmentId);
            start += FragmentHeader;
        }
        else
        {
            start = WriteIp(frame, packet, part.Length, id, (ushort)((offset / 8) | (more ? 0x2000 : 0)));
        }
        part.CopyTo(frame[start..]);
        _link.Send(start + part.Length, null, 0, default);
        return true;
    }
}
