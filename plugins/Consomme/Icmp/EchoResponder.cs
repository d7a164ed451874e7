using System.Buffers.Binary;
using NicHost.Consomme.Core;
using NicHost.Consomme.Ip;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Wire;

namespace NicHost.Consomme.Icmp;

/// <summary>Answers pings of the gateway and of the DNS address, of any size.</summary>
internal sealed class EchoResponder(Network network, IpSender sender)
{
    private const byte RequestV4 = 8;
    private const byte RequestV6 = 128;
    private const byte ReplyV6 = 129;

    public long Answered { get; private set; }

    private byte[] Message => field ??= new byte[FrameLimits.MaxFrame];

    public static bool IsRequest(in GuestFrame frame) =>
        frame.Transport.Length >= 8 && frame.Transport[0] == (frame.IsV4 ? RequestV4 : RequestV6) && frame.Transport[1] == 0;

    /// <returns>False when the frame is no echo request to one of our addresses.</returns>
    public bool TryAnswer(ref GuestFrame frame)
    {
        if (!IsRequest(frame) || !(network.IsGateway(frame.Destination) || network.IsDns(frame.Destination))) return false;
        var message = Message.AsSpan(0, frame.TransportLength);
        if (SegmentOps.CopyTo(frame.Segments, frame.TransportOffset, message) != message.Length) return false;
        message[0] = frame.IsV4 ? (byte)0 : ReplyV6;
        message[2..4].Clear();
        var sum = frame.IsV4 ? default : InternetSum.WithPseudoHeader(frame.Destination, frame.Source, IpProtocol.Icmpv6, message.Length);
        sum.Add(message);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], sum.Checksum);
        if (sender.Send(frame.Queue, frame.Destination, frame.Source, frame.IsV4 ? IpProtocol.Icmp : IpProtocol.Icmpv6, message)) Answered++;
        return true;
    }
}
