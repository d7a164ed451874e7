using System.Buffers.Binary;

namespace NicHost.Contracts.Offload;

/// <summary>Where the headers of a TCP or UDP frame lie. Found in a private copy of the frame's first bytes.</summary>
internal readonly record struct FrameHeaders(int Network, int Transport, int Payload, bool IsV4, byte Protocol)
{
    /// <summary>Enough for Ethernet, a tag, the longest IPv4 header or IPv6 with some extensions, and TCP with options.</summary>
    public const int Capacity = 256;

    public const byte Tcp = 6;
    public const byte Udp = 17;

    /// <summary>Parses <paramref name="bytes"/>; false for anything but a well-formed start of TCP or UDP over IP, unfragmented.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out FrameHeaders headers)
    {
        headers = default;
        if (bytes.Length < 14) return false;
        var network = 14;
        var type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
        if (type == 0x8100 && bytes.Length >= 18)
        {
            type = BinaryPrimitives.ReadUInt16BigEndian(bytes[16..]);
            network = 18;
        }
        return type switch
        {
            0x0800 => TryV4(bytes, network, out headers),
            0x86dd => TryV6(bytes, network, out headers),
            _ => false,
        };
    }

    private static bool TryV4(ReadOnlySpan<byte> bytes, int network, out FrameHeaders headers)
    {
        headers = default;
        if (bytes.Length < network + 20 || bytes[network] >> 4 != 4) return false;
        var length = (bytes[network] & 0xf) * 4;
        if (length < 20 || (BinaryPrimitives.ReadUInt16BigEndian(bytes[(network + 6)..]) & 0x3fff) != 0) return false;
        return TryTransport(bytes, network, network + length, isV4: true, bytes[network + 9], out headers);
    }

    private static bool TryV6(ReadOnlySpan<byte> bytes, int network, out FrameHeaders headers)
    {
        headers = default;
        if (bytes.Length < network + 40 || bytes[network] >> 4 != 6) return false;
        var next = bytes[network + 6];
        var at = network + 40;
        // Hop-by-hop, routing and destination options (RFC 8200 4.1); each is at least 8 bytes, so the walk ends.
        while (next is 0 or 43 or 60)
        {
            if (bytes.Length < at + 8) return false;
            next = bytes[at];
            at += (bytes[at + 1] + 1) * 8;
        }
        return TryTransport(bytes, network, at, isV4: false, next, out headers);
    }

    private static bool TryTransport(ReadOnlySpan<byte> bytes, int network, int transport, bool isV4, byte protocol, out FrameHeaders headers)
    {
        headers = default;
        var length = 8;
        if (protocol == Tcp)
        {
            if (bytes.Length < transport + 20) return false;
            length = (bytes[transport + 12] >> 4) * 4;
            if (length < 20) return false;
        }
        else if (protocol != Udp) return false;
        if (bytes.Length < transport + length) return false;
        headers = new FrameHeaders(network, transport, transport + length, isV4, protocol);
        return true;
    }
}
