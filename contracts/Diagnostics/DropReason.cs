namespace NicHost.Contracts.Diagnostics;

/// <summary>Why a frame, or what it carried, went nowhere. Each has its own counter in each direction.</summary>
public enum DropReason
{
    /// <summary>Shorter than its headers say, or a field out of range.</summary>
    Malformed,

    /// <summary>More bytes or segments than the contract's limits or the MTU allow.</summary>
    TooLong,

    /// <summary>An offload that was not negotiated, or that contradicts the frame's headers.</summary>
    BadOffload,

    /// <summary>A checksum that is wrong.</summary>
    BadChecksum,

    /// <summary>A source address that is not the guest's.</summary>
    Spoofed,

    /// <summary>A destination that is not ours to serve.</summary>
    NotForUs,

    /// <summary>A protocol that is not spoken here.</summary>
    Unsupported,

    /// <summary>A fragment that could not be, or never was, reassembled.</summary>
    Fragment,

    /// <summary>A destination that the configuration does not allow.</summary>
    Forbidden,

    /// <summary>The limit on flows is reached.</summary>
    FlowLimit,

    /// <summary>The limit on half-open connections is reached.</summary>
    HalfOpenLimit,

    /// <summary>The limit on DNS queries in flight is reached.</summary>
    DnsLimit,

    /// <summary>A limit of memory or of a queue inside the endpoint is reached.</summary>
    QueueFull,

    /// <summary>The guest has no receive buffer for it, or none large enough.</summary>
    NoBuffer,

    /// <summary>A call to the host's kernel failed.</summary>
    HostError,

    /// <summary>The host's socket had no room (datagrams only: streams wait).</summary>
    SocketFull,

    /// <summary>The link is down or the queue is closed.</summary>
    LinkDown,

    /// <summary>A segment outside the connection's window, or of no connection.</summary>
    OutOfWindow,
}
