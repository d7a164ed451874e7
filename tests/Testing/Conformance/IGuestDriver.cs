using NicHost.Contracts.Frames;

namespace NicHost.Testing.Conformance;

/// <summary>A guest's driver for one NIC, as the device suite drives it: it reaches the device only through its transport.</summary>
public interface IGuestDriver : IDisposable
{
    /// <summary>Attaches, negotiates as much of <paramref name="wanted"/> as the transport has, starts <paramref name="queues"/> queues and posts receive buffers.</summary>
    void Attach(OffloadSet wanted, int queues = 1, bool postBuffers = true);

    /// <summary>Posts all the receive buffers that a queue holds.</summary>
    void PostBuffers(int queue);

    /// <summary>Sends a frame; false when the ring is full.</summary>
    bool TrySend(int queue, ReadOnlySpan<byte> frame, FrameOffload offload = default);

    /// <summary>Waits for a frame; null when none came in time.</summary>
    ReceivedFrame? Receive(int queue, TimeSpan timeout);

    /// <summary>Stops in order, as when the driver is unloaded; <see cref="Attach"/> may follow.</summary>
    void Detach();

    /// <summary>Vanishes without a word, as a VMM that is killed; <see cref="Attach"/> may follow.</summary>
    void Vanish();
}

/// <summary>A driver whose transport negotiates offloads and shows the link's state.</summary>
public interface INegotiatingGuestDriver : IGuestDriver
{
    /// <summary>Whether the guest sees its link up.</summary>
    bool LinkIsUp { get; }

    /// <summary>What was negotiated towards the guest.</summary>
    OffloadSet AcceptedRx { get; }

    /// <summary>Waits until the link is seen in a state; false when it was not in time.</summary>
    bool WaitForLink(bool up, TimeSpan timeout);
}
