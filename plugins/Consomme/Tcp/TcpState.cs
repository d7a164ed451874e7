namespace NicHost.Consomme.Tcp;

/// <summary>States of RFC 9293 3.3.2, seen from the side that we play towards the guest: the remote host.</summary>
internal enum TcpState : byte
{
    /// <summary>Not in use: in the pool.</summary>
    Free,

    /// <summary>The guest's SYN came; our connect to the host is under way.</summary>
    Connecting,

    /// <summary>The host has accepted; our SYN-ACK is on its way to the guest.</summary>
    SynReceived,

    /// <summary>A forward: our SYN is on its way to the guest.</summary>
    SynSent,

    Established,

    /// <summary>The host closed first: our FIN is not acknowledged.</summary>
    FinWait1,

    /// <summary>Our FIN is acknowledged; the guest still sends.</summary>
    FinWait2,

    /// <summary>The guest closed first; the host still sends.</summary>
    CloseWait,

    /// <summary>Both FINs crossed, ours is not acknowledged.</summary>
    Closing,

    /// <summary>The guest closed first, our FIN is not acknowledged.</summary>
    LastAck,

    /// <summary>Both closed; late segments die out. No socket any more.</summary>
    TimeWait,
}

/// <summary>Why a flow ended, counted for the operator.</summary>
internal enum CloseReason
{
    /// <summary>Both sides sent a FIN.</summary>
    Normal,

    /// <summary>The guest reset it.</summary>
    GuestReset,

    /// <summary>The host's peer reset it, or its socket failed.</summary>
    HostReset,

    /// <summary>The host's peer refused the guest's connection.</summary>
    ConnectRefused,

    /// <summary>The host's peer or network could not be reached.</summary>
    ConnectFailed,

    /// <summary>The guest refused a forwarded connection.</summary>
    GuestRefused,

    /// <summary>The guest did not finish the handshake.</summary>
    HandshakeTimeout,

    /// <summary>The guest stopped acknowledging.</summary>
    RetransmitTimeout,

    /// <summary>The guest did not answer the probes of an idle flow.</summary>
    IdleTimeout,

    /// <summary>A call to the host's kernel failed.</summary>
    HostError,

    /// <summary>In TIME_WAIT, to make room.</summary>
    Evicted,

    /// <summary>The NIC ended.</summary>
    Shutdown,
}
