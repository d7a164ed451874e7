namespace NicHost.Probe.Netvsc;

/// <summary>Kinds of packets on a VMBus socket (docs/vmbus-socket.md), as the client knows them.</summary>
public enum WireKind : uint
{
    Hello = 1,
    HelloAck = 2,
    MemoryAdd = 3,
    MemoryDelete = 4,
    MemoryAck = 5,
    PostMessage = 6,
    SynicMessage = 7,
    EventFd = 8,
    GuestFd = 9,
    SignalEvent = 10,
    SetEvent = 11,
    Monitor = 12,
    Reset = 13,
}

/// <summary>A packet from the host.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="A">First word.</param>
/// <param name="B">Second word.</param>
/// <param name="C">Third word.</param>
/// <param name="Payload">Bytes behind the header.</param>
public sealed record WirePacket(WireKind Kind, ulong A, ulong B, ulong C, byte[] Payload);

/// <summary>A channel that the host has offered.</summary>
/// <param name="RelId">Its number.</param>
/// <param name="ConnectionId">What is signalled.</param>
/// <param name="Instance">The device.</param>
/// <param name="Index">0 for a primary channel.</param>
/// <param name="MonitorId">Its bit in the monitor page; null when the host does not look there.</param>
public sealed record ChannelOffer(uint RelId, uint ConnectionId, Guid Instance, int Index, byte? MonitorId);

/// <summary>The host is not there, closed the connection, or refused.</summary>
public sealed class VmbusException(string message) : Exception(message);
