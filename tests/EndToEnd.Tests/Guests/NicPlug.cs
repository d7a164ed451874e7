namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>How a backend offers its NIC to a VMM.</summary>
internal enum NicTransport
{
    /// <summary>vhost-user: the backend listens, the VMM connects.</summary>
    VhostUser,

    /// <summary>The NAT inside QEMU itself, which then is its own backend.</summary>
    QemuUser,

    /// <summary>Ethernet frames with a length each over a UNIX stream socket (QEMU's <c>-netdev stream</c>).</summary>
    Stream,

    /// <summary>A tap of the kernel, named by <see cref="NicPlug.Socket"/>: UML's own vector driver on it, as a ceiling to measure against.</summary>
    Tap,

    /// <summary>A VMBus over a UNIX socket: the backend listens, a bridge connects.</summary>
    Vmbus,
}

internal sealed record NicPlug(NicTransport Transport, string Socket, string Mac, int Queues = 1);
