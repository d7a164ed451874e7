using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;

namespace NicHost.Contracts.Devices;

/// <summary>Names one reservation of receive buffers. Made and read by the device only; an endpoint keeps it and gives it back.</summary>
/// <param name="First">The device's own.</param>
/// <param name="Count">The device's own.</param>
public readonly record struct RxTicket(int First, int Count);

/// <summary>
/// The device's side of a queue, as the endpoint sees it: the guest's receive buffers. All calls on the queue's loop.
/// </summary>
/// <remarks>
/// Receive is reserve, fill, commit, flush. Several reservations may be open at once (to fill them with one system call); they are
/// committed or released in the order in which they were made, all before the endpoint returns to the loop. An endpoint whose reads
/// complete later reads into memory of its own first.
/// </remarks>
public interface IDeviceQueue
{
    /// <summary>Reserves guest buffers for one frame of up to <paramref name="length"/> bytes, Ethernet header first.</summary>
    /// <param name="length">Bytes wanted, 1 to the maximum that the queue was opened with, and 4 more for a frame with a VLAN tag in line.</param>
    /// <param name="segments">Receives the buffers; together they hold at least <paramref name="length"/> bytes.</param>
    /// <param name="ticket">Names the reservation.</param>
    /// <returns>
    /// How many segments were written; 0 when the guest has not posted enough, or when another reservation may not be opened just now.
    /// After a 0 without an open reservation, <see cref="Endpoints.IEndpointQueue.ReceiveReady"/> tells when to try again.
    /// </returns>
    int Reserve(int length, Span<Segment> segments, out RxTicket ticket);

    /// <summary>Gives a filled reservation to the guest. Buffers beyond <paramref name="length"/> go back to be reserved anew.</summary>
    /// <param name="ticket">The oldest open reservation.</param>
    /// <param name="length">Bytes filled, 1 to the length reserved.</param>
    /// <param name="offload">What the guest may skip or has to finish; only kinds that it accepted.</param>
    void Commit(RxTicket ticket, int length, in FrameOffload offload);

    /// <summary>Gives a reservation back unused. Later reservations, too, must then be released.</summary>
    void Release(RxTicket ticket);

    /// <summary>Notifies the guest of what was committed, once for the whole batch, if it wants to be notified.</summary>
    void Flush();

    /// <summary>Tells that the endpoint has room again after it took fewer frames than it was given.</summary>
    void TransmitReady();
}
