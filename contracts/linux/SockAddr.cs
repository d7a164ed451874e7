using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// An IP socket address as the kernel takes it: struct sockaddr_in or struct sockaddr_in6 in 28 bytes. The value 0 means none.
/// </summary>
[StructLayout(LayoutKind.Explicit, Pack = 4, Size = MaxLength)]
public struct SockAddr : IEquatable<SockAddr>
{
    /// <summary>Bytes of sockaddr_in6, the larger form.</summary>
    public const int MaxLength = 28;

    private const int V4Length = 16;

    [FieldOffset(0)] private ushort _family;
    [FieldOffset(2)] private ushort _port;
    [FieldOffset(4)] private uint _v4;        // sockaddr_in; in sockaddr_in6 this is the flow label
    [FieldOffset(8)] private ulong _v6First;
    [FieldOffset(16)] private ulong _v6Second;
    [FieldOffset(24)] private uint _scope;

    /// <summary>Whether this holds no address.</summary>
    public readonly bool IsNone => _family == 0;

    /// <summary>AF_INET.</summary>
    public readonly bool IsIpv4 => _family == Sockets.AfInet;

    /// <summary>AF_INET6.</summary>
    public readonly bool IsIpv6 => _family == Sockets.AfInet6;

    /// <summary>The address family, an AF_ constant.</summary>
    public readonly int Family => _family;

    /// <summary>Bytes that are meant: 16 for IPv4, 28 for IPv6, 0 for none.</summary>
    public readonly int Length => IsIpv4 ? V4Length : IsIpv6 ? MaxLength : 0;

    /// <summary>Port number (for ping sockets the echo identifier).</summary>
    public ushort Port
    {
        readonly get => Swap(_port);
        set => _port = Swap(value);
    }

    /// <summary>The IPv4 address as a number, so that 10.0.2.2 is 0x0A000202. Meaningless for IPv6.</summary>
    public readonly uint Ipv4 => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_v4) : _v4;

    /// <summary>The IPv6 address as a number, most significant byte first. Meaningless for IPv4.</summary>
    public readonly UInt128 Ipv6 => new(BigEndian(_v6First), BigEndian(_v6Second));

    /// <summary>The interface that a link-local IPv6 address belongs to.</summary>
    public readonly uint ScopeId => _scope;

    /// <summary>An IPv4 address and port.</summary>
    /// <param name="address">As a number: 10.0.2.2 is 0x0A000202.</param>
    /// <param name="port">Port number.</param>
    public static SockAddr FromIpv4(uint address, ushort port) => new()
    {
        _family = Sockets.AfInet,
        _port = Swap(port),
        _v4 = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(address) : address,
    };

    /// <summary>An IPv4 address and port.</summary>
    /// <param name="address">Four bytes as on the wire.</param>
    /// <param name="port">Port number.</param>
    public static SockAddr FromIpv4(ReadOnlySpan<byte> address, ushort port) => FromIpv4(BinaryPrimitives.ReadUInt32BigEndian(address), port);

    /// <summary>An IPv6 address and port.</summary>
    /// <param name="address">As a number, most significant byte first.</param>
    /// <param name="port">Port number.</param>
    /// <param name="scopeId">Interface index for link-local addresses, else 0.</param>
    public static SockAddr FromIpv6(UInt128 address, ushort port, uint scopeId = 0) => new()
    {
        _family = Sockets.AfInet6,
        _port = Swap(port),
        _v6First = BigEndian((ulong)(address >> 64)),
        _v6Second = BigEndian((ulong)address),
        _scope = scopeId,
    };

    /// <summary>An IPv6 address and port.</summary>
    /// <param name="address">Sixteen bytes as on the wire.</param>
    /// <param name="port">Port number.</param>
    /// <param name="scopeId">Interface index for link-local addresses, else 0.</param>
    public static SockAddr FromIpv6(ReadOnlySpan<byte> address, ushort port, uint scopeId = 0) =>
        FromIpv6(BinaryPrimitives.ReadUInt128BigEndian(address), port, scopeId);

    /// <summary>From the framework's form.</summary>
    /// <param name="endPoint">IPv4 or IPv6.</param>
    public static SockAddr FromEndPoint(IPEndPoint endPoint)
    {
        Span<byte> bytes = stackalloc byte[16];
        endPoint.Address.TryWriteBytes(bytes, out _);
        return endPoint.AddressFamily == AddressFamily.InterNetworkV6
            ? FromIpv6(bytes, (ushort)endPoint.Port, (uint)endPoint.Address.ScopeId)
            : FromIpv4(bytes, (ushort)endPoint.Port);
    }

    /// <summary>To the framework's form; allocates.</summary>
    /// <exception cref="InvalidOperationException">This holds no address.</exception>
    public readonly IPEndPoint ToEndPoint()
    {
        Span<byte> bytes = stackalloc byte[16];
        int length = CopyAddressTo(bytes);
        return length switch
        {
            4 => new IPEndPoint(new IPAddress(bytes[..4]), Port),
            16 => new IPEndPoint(new IPAddress(bytes, _scope), Port),
            _ => throw new InvalidOperationException("The socket address holds no IP address."),
        };
    }

    /// <summary>Copies the address as it stands on the wire.</summary>
    /// <param name="destination">Room for 4 or 16 bytes.</param>
    /// <returns>4, 16, or 0 for none.</returns>
    public readonly int CopyAddressTo(Span<byte> destination)
    {
        if (IsIpv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, Ipv4);
            return 4;
        }

        if (!IsIpv6) return 0;
        BinaryPrimitives.WriteUInt128BigEndian(destination, Ipv6);
        return 16;
    }

    /// <inheritdoc/>
    public readonly bool Equals(SockAddr other) =>
        _family == other._family && _port == other._port
        && (IsIpv6
            ? _v6First == other._v6First && _v6Second == other._v6Second && _scope == other._scope
            : _v4 == other._v4);

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is SockAddr other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() =>
        IsIpv6 ? HashCode.Combine(_port, _v6First, _v6Second, _scope) : HashCode.Combine(_family, _port, _v4);

    /// <summary>Same family, address, port and scope.</summary>
    public static bool operator ==(SockAddr left, SockAddr right) => left.Equals(right);

    /// <summary>Different family, address, port or scope.</summary>
    public static bool operator !=(SockAddr left, SockAddr right) => !left.Equals(right);

    /// <inheritdoc/>
    public override readonly string ToString() => IsIpv4 || IsIpv6 ? ToEndPoint().ToString() : "none";

    private static ushort Swap(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    private static ulong BigEndian(ulong value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
