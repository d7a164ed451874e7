using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>struct linger.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Linger
{
    /// <summary>Not 0: close waits, or with <see cref="Seconds"/> 0 resets the connection.</summary>
    public int OnOff;

    /// <summary>How long close waits for unsent data.</summary>
    public int Seconds;
}

/// <summary>struct ucred: who is at the other end of a UNIX socket, as it was when the connection was made.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PeerCredentials
{
    /// <summary>Process id in our PID namespace, 0 when it is in none that we see.</summary>
    public int ProcessId;

    /// <summary>Effective user id.</summary>
    public uint UserId;

    /// <summary>Effective group id.</summary>
    public uint GroupId;
}

/// <summary>SO_MEMINFO (SK_MEMINFO_ of linux/sock_diag.h), all in bytes except the drops.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SocketMemory
{
    /// <summary>Receive memory in use, with the kernel's overhead.</summary>
    public uint RcvAlloc;
    /// <summary>SO_RCVBUF.</summary>
    public uint RcvBuf;
    /// <summary>Send memory given to the device layer.</summary>
    public uint SndAlloc;
    /// <summary>SO_SNDBUF.</summary>
    public uint SndBuf;
    /// <summary>Memory reserved ahead.</summary>
    public uint ForwardAlloc;
    /// <summary>Send queue, with the kernel's overhead.</summary>
    public uint SndQueued;
    /// <summary>Memory of options.</summary>
    public uint OptMem;
    /// <summary>Packets in the backlog, in bytes.</summary>
    public uint Backlog;
    /// <summary>Datagrams dropped.</summary>
    public uint Drops;
}

/// <summary>struct in_pktinfo: where an IPv4 datagram came in, or shall go out.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PacketInfo4
{
    /// <summary>The interface.</summary>
    public int InterfaceIndex;
    private uint _local;
    private uint _destination;

    /// <summary>Our address (ipi_spec_dst), as a number: 10.0.2.2 is 0x0A000202. When sending, the source to use.</summary>
    public uint Local
    {
        readonly get => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_local) : _local;
        set => _local = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
    }

    /// <summary>The destination in the received header (ipi_addr), as a number.</summary>
    public readonly uint Destination => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(_destination) : _destination;
}

/// <summary>struct in6_pktinfo: where an IPv6 datagram came in, or shall go out.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = 20)]
public struct PacketInfo6
{
    private ulong _first;
    private ulong _second;

    /// <summary>The interface.</summary>
    public uint InterfaceIndex;

    /// <summary>The destination of what was received, or the source to send from, as a number.</summary>
    public UInt128 Address
    {
        readonly get => BitConverter.IsLittleEndian
            ? new UInt128(BinaryPrimitives.ReverseEndianness(_first), BinaryPrimitives.ReverseEndianness(_second))
            : new UInt128(_first, _second);
        set
        {
            (ulong first, ulong second) = ((ulong)(value >> 64), (ulong)value);
            _first = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(first) : first;
            _second = BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(second) : second;
        }
    }
}
