using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>States in <see cref="TcpInfo.State"/> (net/tcp_states.h).</summary>
public enum TcpState : byte
{
    /// <summary>Not filled.</summary>
    None = 0,
    /// <summary>Data flows.</summary>
    Established = 1,
    /// <summary>SYN sent.</summary>
    SynSent = 2,
    /// <summary>SYN received.</summary>
    SynReceived = 3,
    /// <summary>Our FIN is sent, not acknowledged.</summary>
    FinWait1 = 4,
    /// <summary>Our FIN is acknowledged.</summary>
    FinWait2 = 5,
    /// <summary>Both FINs seen; old segments die out.</summary>
    TimeWait = 6,
    /// <summary>Closed.</summary>
    Close = 7,
    /// <summary>The peer's FIN came.</summary>
    CloseWait = 8,
    /// <summary>Our FIN followed theirs and is not acknowledged.</summary>
    LastAck = 9,
    /// <summary>Listening.</summary>
    Listen = 10,
    /// <summary>Both FINs crossed.</summary>
    Closing = 11,
}

/// <summary>
/// struct tcp_info (linux/tcp.h), times in microseconds unless said otherwise. Older kernels fill less: ask
/// <see cref="Sockets.GetTcpInfo"/> how much; the rest is zero.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct TcpInfo
{
#pragma warning disable CS1591 // The fields are the kernel's, name by name; tcp(7) and linux/tcp.h describe them.
    public TcpState State;
    public byte CaState;
    public byte Retransmits;
    public byte Probes;
    public byte Backoff;
    public byte Options;
    private readonly byte _scales;
    private readonly byte _bits;
    public uint Rto;
    public uint Ato;
    public uint SndMss;
    public uint RcvMss;
    public uint Unacked;
    public uint Sacked;
    public uint Lost;
    public uint Retrans;
    public uint Fackets;
    public uint LastDataSentMs;
    public uint LastAckSentMs;
    public uint LastDataRecvMs;
    public uint LastAckRecvMs;
    public uint Pmtu;
    public uint RcvSsthresh;
    public uint Rtt;
    public uint RttVar;
    public uint SndSsthresh;
    public uint SndCwnd;
    public uint AdvMss;
    public uint Reordering;
    public uint RcvRtt;
    public uint RcvSpace;
    public uint TotalRetrans;
    public ulong PacingRate;
    public ulong MaxPacingRate;
    public ulong BytesAcked;
    public ulong BytesReceived;
    public uint SegsOut;
    public uint SegsIn;
    public uint NotSentBytes;
    public uint MinRtt;
    public uint DataSegsIn;
    public uint DataSegsOut;
    public ulong DeliveryRate;
    public ulong BusyTime;
    public ulong RwndLimited;
    public ulong SndbufLimited;
    public uint Delivered;
    public uint DeliveredCe;
    public ulong BytesSent;
    public ulong BytesRetrans;
    public uint DsackDups;
    public uint ReordSeen;
    public uint RcvOooPack;
    public uint SndWnd;
    public uint RcvWnd;
    public uint Rehash;
    public ushort TotalRto;
    public ushort TotalRtoRecoveries;
    public uint TotalRtoTimeMs;
#pragma warning restore CS1591

    /// <summary>Window scale that the peer announced.</summary>
    public readonly int SndWscale => _scales & 0xF;

    /// <summary>Window scale that we announced.</summary>
    public readonly int RcvWscale => _scales >> 4;

    /// <summary>Whether the delivery rate was limited by the application.</summary>
    public readonly bool DeliveryRateAppLimited => (_bits & 1) != 0;

    /// <summary>Bytes of the structure up to and with <see cref="SndWnd"/> (Linux 5.4): at least so much must be filled to use it.</summary>
    public const int SizeWithSndWnd = 232;

    /// <summary>Bytes of the structure up to and with <see cref="RcvWnd"/> (Linux 6.2).</summary>
    public const int SizeWithRcvWnd = 236;
}
