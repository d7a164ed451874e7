using NicHost.Consomme.Core;
using NicHost.Contracts.Loops;

namespace NicHost.Consomme.Tcp;

/// <summary>
/// One connection of the guest and its socket on the host. A record of fixed size, pooled; what it carries stays in the guest's memory
/// and the kernel's socket buffers. Names follow RFC 9293 3.3.1 as seen from us: RCV is from the guest, SND is to the guest.
/// </summary>
internal sealed class TcpFlow(TcpProtocol owner) : WheelEntry, IFdHandler, IRoomWaiter
{
    public FlowKey Key;
    public TcpState State;
    public int Queue;
    public int Fd = -1;
    public IFdWatch? Watch;
    public bool IsInbound;
    public bool IsHalfOpen;

    /// <summary>Sum of the pseudo header's addresses and protocol: what is the same in every checksum.</summary>
    public uint PseudoSum;

    // From the guest.
    public uint Irs;
    public uint RcvNxt;

    /// <summary>The right edge of the window as told to the guest: it moves left only when the socket took less than was offered.</summary>
    public uint RcvEdge;

    /// <summary>The acknowledgement that the guest saw last.</summary>
    public uint LastAck;
    public byte RcvScale;
    public bool AckPending;

    /// <summary>When an acknowledgement that waits for an answer to carry it goes out alone; 0: none waits.</summary>
    public long AckAt;

    /// <summary>Segments of the guest since data went to it last, and how often in a row that was exactly one.</summary>
    public int Unanswered;
    public int Exchanges;

    /// <summary>Room in the socket's send buffer at the last look, less what was sent since.</summary>
    public int Room;
    public int SentSinceLook;

    /// <summary>The socket is too full for a good window: its next EPOLLOUT opens it.</summary>
    public bool WaitsForWritable;
    public Spill? Spill;

    /// <summary>What was gathered of it in this batch.</summary>
    public GatherRun? Gathered;
    public FutureStore? Future;

    /// <summary>The guest's FIN came, and waits for <see cref="Spill"/> to drain.</summary>
    public bool FinBehindSpill;

    // To the guest.
    public uint Iss;
    public uint SndUna;
    public uint SndNxt;

    /// <summary>One past the highest number ever sent.</summary>
    public uint SndMax;
    public uint SndWnd;
    public uint SndMaxWnd;
    public uint SndWl1;
    public uint SndWl2;
    public byte SndScale;

    /// <summary>Payload bytes of a full segment, options already taken off.</summary>
    public int Mss;

    /// <summary>The number of the first byte that still lies in the kernel's receive buffer.</summary>
    public uint HostBase;

    /// <summary>Where <see cref="HostBase"/> stood when the receive buffer was empty last.</summary>
    public uint CleanBase;

    /// <summary>Where the kernel's peek offset stands.</summary>
    public uint PeekSeq;
    public bool PeeksAtOffset;

    /// <summary>The kernel has no peek offset: bytes sent already are peeked again and thrown away.</summary>
    public bool PeeksIntoSink;

    /// <summary>The socket may have something to read beyond <see cref="PeekSeq"/>.</summary>
    public bool CanRead;
    public bool HostEof;

    /// <summary>The host's peer has closed its side, perhaps behind data that is still to be read.</summary>
    public bool SawHangUp;

    /// <summary>A short read does not mean that nothing is left.</summary>
    public bool DrainsToEnd;
    public bool FinSent;

    /// <summary>Number of our FIN; only when <see cref="FinSent"/>.</summary>
    public uint FinSeq;
    public int ReadHint;
    public int UndiscardedAcks;

    // Retransmission.
    public RttEstimator Rtt;
    public SackBoard Sack;
    public bool SackOk;
    public int DupAcks;
    public bool InRecovery;

    /// <summary>Recovery ends when this is acknowledged.</summary>
    public uint RecoverSeq;

    /// <summary>Where sending again stops and jumps to <see cref="SndMax"/>.</summary>
    public uint RetransmitEnd;

    /// <summary>Bytes that may be in flight; without bound until something was lost.</summary>
    public long Cwnd;
    public int Retries;
    public int Probes;
    public long Retransmits;
    public bool RttTiming;
    public uint RttSeq;
    public long RttStart;

    // Timestamps (RFC 7323).
    public bool Timestamps;
    public uint TsRecent;
    public long TsRecentAt;
    public uint TsOffset;

    // Timers: 0 is unset.
    public long RetransmitAt;
    public long StateAt;
    public long LastHeard;

    // Places in the protocol's lists. They outlive one use of the record.
    public bool IsTouched;
    public bool IsReady;
    public TcpFlow? TimeWaitOlder;
    public TcpFlow? TimeWaitNewer;

    public bool IsWaiting { get; set; }

    public bool IsV4 => Key.Guest.IsV4;

    public int HeaderLength => FrameLayout.HeaderLength(IsV4, Timestamps);

    /// <summary>One past the last data byte that was sent; without the FIN.</summary>
    public uint DataEnd => FinSent ? FinSeq : SndMax;

    public bool IsSynchronized => State >= TcpState.Established;

    public void OnEvents(FdEvents events) => owner.OnHostEvents(this, events);

    public void RoomAvailable() => owner.OnRoom(this);

    public override void OnTimer(long now) => owner.OnFlowTimer(this, now);

    /// <summary>Makes the record fresh for a new connection.</summary>
    public void Reset(in FlowKey key)
    {
        Key = key;
        Queue = 0;
        IsInbound = IsHalfOpen = AckPending = WaitsForWritable = FinBehindSpill = CanRead = HostEof = SawHangUp = DrainsToEnd = FinSent = false;
        PeeksAtOffset = PeeksIntoSink = SackOk = InRecovery = RttTiming = Timestamps = false;
        Irs = RcvNxt = RcvEdge = LastAck = Iss = SndUna = SndNxt = SndMax = SndWnd = SndMaxWnd = SndWl1 = SndWl2 = 0;
        HostBase = CleanBase = PeekSeq = FinSeq = RecoverSeq = RetransmitEnd = RttSeq = TsRecent = TsOffset = 0;
        RcvScale = SndScale = 0;
        Room = SentSinceLook = Mss = DupAcks = Retries = Probes = UndiscardedAcks = Unanswered = Exchanges = 0;
        ReadHint = InitialReadHint;
        Retransmits = RttStart = TsRecentAt = RetransmitAt = StateAt = AckAt = LastHeard = 0;
        Cwnd = long.MaxValue;
        Sack.Clear();
        Rtt.Reset();
    }

    private const int InitialReadHint = 16 << 10;
}
