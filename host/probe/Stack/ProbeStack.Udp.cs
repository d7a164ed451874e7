using System.Buffers.Binary;
using System.Security.Cryptography;
using NicHost.Contracts.Frames;

namespace NicHost.Probe.Stack;

/// <summary>Takes a datagram; its payload is gone when the method returns.</summary>
public delegate void DatagramHandler(Ip source, ushort sourcePort, ReadOnlySpan<byte> payload);

/// <summary>A local UDP port.</summary>
public sealed class UdpPort
{
    internal UdpPort(ushort number) => Number = number;

    /// <summary>The number.</summary>
    public ushort Number { get; }

    /// <summary>Gets the datagrams.</summary>
    public DatagramHandler? Received { get; set; }

    /// <summary>Datagrams received; each segment of a super-frame counts.</summary>
    public long Datagrams { get; internal set; }

    /// <summary>Payload bytes received.</summary>
    public long Bytes { get; internal set; }

    /// <summary>The ICMP error that came for something sent from here: type and code.</summary>
    public (byte Type, byte Code)? Error { get; internal set; }
}

/// <content>UDP.</content>
public sealed unsafe partial class ProbeStack
{
    private readonly Dictionary<ushort, UdpPort> _udpPorts = [];
    // Random, so that a guest that comes back does not meet the flows of the one before.
    private ushort _nextPort = (ushort)RandomNumberGenerator.GetInt32(32768, 60000);

    /// <summary>Opens a port; 0 takes any free one.</summary>
    public UdpPort OpenUdp(ushort number = 0)
    {
        while (number == 0 || _udpPorts.ContainsKey(number))
        {
            if (number != 0) throw new InvalidOperationException($"UDP port {number} of the probe is taken.");
            var candidate = NextPort();
            if (!_udpPorts.ContainsKey(candidate)) number = candidate;
        }
        return _udpPorts[number] = new UdpPort(number);
    }

    /// <summary>Closes a port.</summary>
    public void Close(UdpPort port) => _udpPorts.Remove(port.Number);

    /// <summary>Sends a datagram from managed memory.</summary>
    /// <returns>False when it has to be tried again after the next poll.</returns>
    public bool SendUdp(UdpPort port, Ip destination, ushort destinationPort, ReadOnlySpan<byte> payload) =>
        SendUdp(port, destination, destinationPort, payload, null, 0, 0);

    /// <summary>Sends a datagram, or with <paramref name="segmentSize"/> a super-frame of several, from guest memory in place.</summary>
    /// <returns>False when it has to be tried again after the next poll.</returns>
    public bool SendUdp(UdpPort port, Ip destination, ushort destinationPort, byte* payload, int length, ushort segmentSize = 0) =>
        SendUdp(port, destination, destinationPort, default, payload, length, segmentSize);

    private ushort NextPort()
    {
        if (_nextPort < 32768) _nextPort = 32768;
        return _nextPort++;
    }

    private bool SendUdp(UdpPort port, Ip destination, ushort destinationPort, ReadOnlySpan<byte> body, byte* tail, int tailLength, ushort segmentSize)
    {
        Span<byte> header = stackalloc byte[Proto.UdpHeader];
        BinaryPrimitives.WriteUInt16BigEndian(header, port.Number);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], (ushort)(Proto.UdpHeader + body.Length + tailLength));
        header[6..].Clear();
        var packet = new OutPacket
        {
            Source = SourceFor(destination),
            Destination = destination,
            Protocol = Proto.Udp,
            Header = header,
            Body = body,
            Tail = tail,
            TailLength = tailLength,
            ChecksumOffset = 6,
            Checksum = ChecksumKind.Offloaded,
            SegmentSize = segmentSize,
            Flow = port.Number,
        };
        return SendIp(ref packet);
    }

    private void ReceiveUdp(in IpPacket packet)
    {
        var start = packet.Start;
        if (start.Length < Proto.UdpHeader)
        {
            Faults.Report("UDP datagram without a whole header");
            return;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(start[4..]);
        if (length < Proto.UdpHeader || length > packet.Length)
        {
            Faults.Report("UDP datagram with a wrong length");
            return;
        }
        var unsummed = !packet.Source.IsV6 && start[6] == 0 && start[7] == 0 && packet.Frame.Offload.Checksum == ChecksumState.Unknown;
        if (!unsummed && !ChecksumHolds(packet, 6)) return;
        if (!_udpPorts.TryGetValue(BinaryPrimitives.ReadUInt16BigEndian(start[2..]), out var port))
        {
            Unclaimed?.Invoke(packet);
            return;
        }
        Deliver(packet, port, BinaryPrimitives.ReadUInt16BigEndian(start), length - Proto.UdpHeader);
    }

    private void Deliver(in IpPacket packet, UdpPort port, ushort sourcePort, int length)
    {
        var size = packet.Frame.Offload.Gso == GsoKind.Udp ? packet.Frame.Offload.SegmentSize : Math.Max(1, length);
        port.Datagrams += length == 0 ? 1 : (length + size - 1) / size;
        port.Bytes += length;
        if (port.Received is not { } handler) return;
        var payload = Linear(packet).Slice(Proto.UdpHeader, length);
        if (length == 0) handler(packet.Source, sourcePort, payload);
        for (; payload.Length > 0; payload = payload[Math.Min(size, payload.Length)..])
            handler(packet.Source, sourcePort, payload[..Math.Min(size, payload.Length)]);
    }

    private void NoteUdpError(ushort localPort, byte type, byte code)
    {
        if (_udpPorts.TryGetValue(localPort, out var port)) port.Error = (type, code);
    }
}
