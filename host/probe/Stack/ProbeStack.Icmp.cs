using System.Buffers.Binary;

namespace NicHost.Probe.Stack;

/// <summary>An answer that came for a ping, or an error in its place.</summary>
/// <param name="Source">Who answered.</param>
/// <param name="Type">ICMP or ICMPv6 type.</param>
/// <param name="Code">Code.</param>
/// <param name="Sequence">Sequence number of the request.</param>
/// <param name="Intact">Whether the payload came back as it was sent.</param>
public readonly record struct EchoAnswer(Ip Source, byte Type, byte Code, ushort Sequence, bool Intact);

/// <content>ICMP echo and errors.</content>
public sealed unsafe partial class ProbeStack
{
    private const ushort EchoId = 0x4e48;

    /// <summary>The last echo reply.</summary>
    public EchoAnswer? LastEcho { get; set; }

    /// <summary>The last ICMP error, about whatever we had sent.</summary>
    public EchoAnswer? LastIcmpError { get; set; }

    /// <summary>Sends an echo request whose payload is <paramref name="length"/> bytes of a known pattern.</summary>
    /// <returns>False when it has to be tried again after the next poll.</returns>
    public bool SendEcho(Ip destination, ushort sequence, int length = 56, byte hopLimit = 64)
    {
        Span<byte> header = stackalloc byte[8];
        header.Clear();
        header[0] = destination.IsV6 ? (byte)128 : (byte)8;
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], EchoId);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], sequence);
        var body = _linear.AsSpan(0, length);
        FillPattern(body, sequence);
        var packet = new OutPacket
        {
            Source = SourceFor(destination),
            Destination = destination,
            Protocol = destination.IsV6 ? Proto.Icmpv6 : Proto.Icmp,
            HopLimit = hopLimit,
            Header = header,
            Body = body,
            ChecksumOffset = 2,
            Checksum = destination.IsV6 ? ChecksumKind.Pseudo : ChecksumKind.Plain,
        };
        return SendIp(ref packet);
    }

    private static void FillPattern(Span<byte> body, int seed)
    {
        for (var i = 0; i < body.Length; i++) body[i] = (byte)((i * 7) + seed);
    }

    private static bool HasPattern(ReadOnlySpan<byte> body, int seed)
    {
        for (var i = 0; i < body.Length; i++) if (body[i] != (byte)((i * 7) + seed)) return false;
        return true;
    }

    private void ReceiveIcmp(in IpPacket packet)
    {
        var message = Linear(packet);
        if (message.Length < 8 || InetChecksum.Fold(InetChecksum.Add(0, message)) != 0xffff)
        {
            Faults.Report("ICMP message with a wrong checksum or length");
            return;
        }
        switch (message[0])
        {
            case 0: TakeEcho(packet, message); break;
            case 8: AnswerEcho(packet, message, 0, ChecksumKind.Plain); break;
            case 3 or 11 or 12: TakeIcmpError(packet, message, Proto.Ipv4Header); break;
            default: Unclaimed?.Invoke(packet); break;
        }
    }

    private void TakeEcho(in IpPacket packet, ReadOnlySpan<byte> message)
    {
        if (BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != EchoId)
        {
            Faults.Report("echo reply with another identifier");
            return;
        }
        var sequence = BinaryPrimitives.ReadUInt16BigEndian(message[6..]);
        LastEcho = new EchoAnswer(packet.Source, message[0], message[1], sequence, HasPattern(message[8..], sequence));
    }

    private void AnswerEcho(in IpPacket request, ReadOnlySpan<byte> message, byte type, ChecksumKind checksum)
    {
        Span<byte> header = stackalloc byte[8];
        message[..8].CopyTo(header);
        header[0] = type;
        header[1] = 0;
        var packet = new OutPacket
        {
            Source = request.Destination.IsGroup ? SourceFor(request.Source) : request.Destination,
            Destination = request.Source,
            Protocol = request.Protocol,
            Header = header,
            Body = message[8..],
            ChecksumOffset = 2,
            Checksum = checksum,
        };
        Answer(ref packet);
    }

    private void TakeIcmpError(in IpPacket packet, ReadOnlySpan<byte> message, int innerIpLength)
    {
        LastIcmpError = new EchoAnswer(packet.Source, message[0], message[1], 0, true);
        var inner = message[8..];
        if (inner.Length < innerIpLength + 8) return;
        var v6 = packet.Source.IsV6;
        if (!v6) innerIpLength = (inner[0] & 15) * 4;
        if (inner.Length < innerIpLength + 8) return;
        var protocol = v6 ? inner[6] : inner[9];
        var remote = Ip.Read(v6 ? inner.Slice(24, 16) : inner.Slice(16, 4));
        var localPort = BinaryPrimitives.ReadUInt16BigEndian(inner[innerIpLength..]);
        var remotePort = BinaryPrimitives.ReadUInt16BigEndian(inner[(innerIpLength + 2)..]);
        if (protocol == Proto.Udp) NoteUdpError(localPort, message[0], message[1]);
        else if (protocol == Proto.Tcp) NoteTcpError(new FlowKey(remote, remotePort, localPort), message[0], message[1]);
    }
}
