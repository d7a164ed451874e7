namespace NicHost.NetVsp.Wire;

/// <summary>Kinds of packets between a VMM (the client) and us (the server); see docs/vmbus-socket.md.</summary>
internal enum WireKind : uint
{
    /// <summary>Client: wire version, feature bits.</summary>
    Hello = 1,

    /// <summary>Server: wire version, feature bits.</summary>
    HelloAck = 2,

    /// <summary>Client: guest address, length, offset in the descriptor that comes along.</summary>
    MemoryAdd = 3,

    /// <summary>Client: guest address, length.</summary>
    MemoryDelete = 4,

    /// <summary>Server: guest address, 0 or an errno.</summary>
    MemoryAck = 5,

    /// <summary>Client: connection id; payload is the VMBus message (HvPostMessage).</summary>
    PostMessage = 6,

    /// <summary>Server: virtual processor, synthetic interrupt source; payload is the VMBus message for the SynIC slot.</summary>
    SynicMessage = 7,

    /// <summary>Client: connection id; eventfd that the guest's HvSignalEvent signals.</summary>
    EventFd = 8,

    /// <summary>Client: relid, virtual processor, guest address of its event flags or 0; eventfd that interrupts the guest.</summary>
    GuestFd = 9,

    /// <summary>Client: connection id; HvSignalEvent without an eventfd.</summary>
    SignalEvent = 10,

    /// <summary>Server: relid; the event flag without an eventfd.</summary>
    SetEvent = 11,

    /// <summary>Client: <see cref="MonitorMode"/>.</summary>
    Monitor = 12,

    /// <summary>Client: the VM was reset.</summary>
    Reset = 13,
}

/// <summary>Who looks at the monitor pages.</summary>
internal enum MonitorMode : ulong
{
    /// <summary>Nobody: offers carry no monitor id.</summary>
    None = 0,

    /// <summary>The client does, and signals the connection's eventfd.</summary>
    Client = 1,

    /// <summary>We do.</summary>
    Server = 2,
}

/// <summary>Constants of the wire.</summary>
internal static class WireFormat
{
    public const ulong Version = 1;
    public const int HeaderSize = 32;
    public const int MaxPayload = 240;

    /// <summary>Kinds with this bit may be ignored by a peer that does not know them.</summary>
    public const uint OptionalKind = 0x8000_0000;
}

/// <summary>The header before each payload, little-endian.</summary>
internal readonly record struct WireHeader(WireKind Kind, int Length, ulong A, ulong B, ulong C);
