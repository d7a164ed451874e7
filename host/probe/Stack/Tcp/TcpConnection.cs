namespace NicHost.Probe.Stack;

/// <summary>Remote address and port, local port.</summary>
public readonly record struct FlowKey(Ip Remote, ushort RemotePort, ushort LocalPort);

/// <summary>States of RFC 9293; TIME_WAIT and CLOSED are one here: the probe forgets at once.</summary>
public enum TcpState
{
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    Closed,
}

/// <summary>Bits of a TCP header.</summary>
[Flags]
public enum TcpFlags : byte
{
    None = 0,
    Fin = 1,
    Syn = 2,
    Rst = 4,
    Psh = 8,
    Ack = 16,
    Urg = 32,
    Ece = 64,
    Cwr = 128,
}

/// <summary>How a connection behaves.</summary>
public sealed record TcpOptions
{
    /// <summary>The usual.</summary>
    public static TcpOptions Default { get; } = new();

    /// <summary>Offer timestamps (RFC 7323).</summary>
    public bool Timestamps { get; init; } = true;

    /// <summary>Window shift to offer; null offers none.</summary>
    public int? WindowScale { get; init; } = 8;

    /// <summary>Say SACK_PERMITTED. We never send blocks: we keep nothing that is out of order.</summary>
    public bool SackPermitted { get; init; } = true;

    /// <summary>Send super-frames where the link takes them.</summary>
    public bool SuperFrames { get; init; } = true;

    /// <summary>The MSS to announce; null takes it from the MTU.</summary>
    public ushort? Mss { get; init; }

    /// <summary>First retransmission time-out in milliseconds.</summary>
    public int InitialRtoMs { get; init; } = 1000;

    /// <summary>Retransmissions before the connection is given up.</summary>
    public int MaxRetries { get; init; } = 8;
}

/// <summary>
/// One TCP connection: correct towards a correct peer on a link that hardly loses anything, and fast there. What is out of order is
/// dropped and asked for again; there is no congestion control. One thread.
/// </summary>
public sealed unsafe partial class TcpConnection
{
    private readonly ProbeStack _stack;
    private readonly TcpOptions _options;
    private readonly ITcpSource _source;
    private readonly ITcpSink _sink;
    private readonly uint _iss;

    internal TcpConnection(ProbeStack stack, Ip local, FlowKey key, TcpOptions options, ITcpSource source, ITcpSink sink, uint iss, TcpState state)
    {
        _stack = stack;
        _options = options;
        _source = source;
        _sink = sink;
        _iss = iss;
        Local = local;
        Key = key;
        State = state;
        _rtoMs = options.InitialRtoMs;
        _mss = 536;
        OpenedUs = stack.NowUs;
    }

    /// <summary>Our address.</summary>
    public Ip Local { get; }

    /// <summary>The rest of what names the connection.</summary>
    public FlowKey Key { get; }

    /// <summary>Where the connection stands.</summary>
    public TcpState State { get; private set; }

    /// <summary>Why the connection ended, where that was not the regular way.</summary>
    public string? Error { get; private set; }

    /// <summary>Whether the peer reset the connection.</summary>
    public bool WasReset { get; private set; }

    /// <summary>Whether the peer has sent its FIN, and we have taken all before it.</summary>
    public bool PeerFinished { get; private set; }

    /// <summary>Whether everything that we sent, the FIN included, is acknowledged.</summary>
    public bool FinAcknowledged { get; private set; }

    /// <summary>Bytes of ours that the peer has acknowledged.</summary>
    public long Acknowledged => _una;

    /// <summary>Bytes received in order.</summary>
    public long Received => _rcvNext;

    /// <summary>Segments sent again.</summary>
    public int Retransmissions { get; private set; }

    /// <summary>Segments that came out of order.</summary>
    public int OutOfOrder { get; private set; }

    /// <summary>When it was opened, in microseconds of the stack's clock.</summary>
    public long OpenedUs { get; }

    /// <summary>Payload bytes of a segment that the path and the peer take.</summary>
    public int Mss => _mss - (_timestamps ? TimestampBytes : 0);

    /// <summary>Whether timestamps are in force.</summary>
    public bool HasTimestamps => _timestamps;

    /// <summary>The window that the peer shows.</summary>
    public long PeerWindow => _sndWindow;

    /// <summary>Whether data can be sent and received.</summary>
    public bool IsOpen => State is TcpState.Established or TcpState.CloseWait or TcpState.FinWait1 or TcpState.FinWait2;

    /// <summary>Sends a RST and forgets the connection.</summary>
    public void Abort()
    {
        if (State == TcpState.Closed) return;
        SendSegment(TcpFlags.Rst | TcpFlags.Ack, _next, 0, null, default);
        Drop("aborted here");
    }

    /// <summary>Tells that the source has more, or that the sink has room again.</summary>
    public void Touch() => _stack.Touch(this);

    internal void Drop(string? error)
    {
        if (State == TcpState.Closed) return;
        State = TcpState.Closed;
        Error ??= error;
        _stack.Remove(this);
    }

    internal int ListIndex { get; set; } = -1;

    internal bool InWork { get; set; }
}
