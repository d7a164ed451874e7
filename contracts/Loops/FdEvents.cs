namespace NicHost.Contracts.Loops;

/// <summary>What a descriptor is watched for, and what happened to it. The values are epoll's.</summary>
[Flags]
public enum FdEvents : uint
{
    /// <summary>Nothing: the descriptor stays registered, errors and hang-ups are still told.</summary>
    None = 0,

    /// <summary>Something can be read.</summary>
    Readable = 0x001,

    /// <summary>Something can be written.</summary>
    Writable = 0x004,

    /// <summary>An error is pending on the descriptor (for sockets: SO_ERROR or the error queue). Always told.</summary>
    Error = 0x008,

    /// <summary>Both directions are closed. Always told.</summary>
    HangUp = 0x010,

    /// <summary>The peer has closed its sending direction.</summary>
    ReadHangUp = 0x2000,

    /// <summary>
    /// Tell once per change instead of as long as the state holds. An eventfd watched so needs no read: each signal is a new edge.
    /// </summary>
    EdgeTriggered = 0x8000_0000,
}
