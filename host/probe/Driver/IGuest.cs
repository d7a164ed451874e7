using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Driver;

/// <summary>A whole guest, whatever its network card is. The thread that calls <see cref="RunUntil"/> is its only CPU.</summary>
public interface IGuest : ILink, IDisposable
{
    /// <summary>Its memory.</summary>
    GuestRam Ram { get; }

    /// <summary>Its TCP/IP.</summary>
    ProbeStack Stack { get; }

    /// <summary>What it saw the other side do wrong.</summary>
    FaultLog Faults { get; }

    /// <summary>Whether the host has closed the connection.</summary>
    bool Disconnected { get; }

    /// <summary>What was negotiated, in a few words.</summary>
    string Summary { get; }

    /// <summary>Frames sent by all queues.</summary>
    long FramesSent { get; }

    /// <summary>Frames received by all queues.</summary>
    long FramesReceived { get; }

    /// <summary>Signals given to the host.</summary>
    long Kicks { get; }

    /// <summary>How often the guest had nothing to do and slept.</summary>
    long Sleeps { get; }

    /// <summary>Works until <paramref name="done"/> says so.</summary>
    /// <returns>False when the time ran out or the host has gone.</returns>
    bool RunUntil(Func<bool> done, TimeSpan timeout);
}
