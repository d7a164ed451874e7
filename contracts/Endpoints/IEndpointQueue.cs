using NicHost.Contracts.Frames;

namespace NicHost.Contracts.Endpoints;

/// <summary>The endpoint's side of a queue, as the device sees it. All calls on the queue's loop.</summary>
public interface IEndpointQueue
{
    /// <summary>Takes frames from the guest.</summary>
    /// <param name="batch">Lent for this call: the memory goes back to the guest as soon as the call returns.</param>
    /// <returns>
    /// How many frames, from the first on, were dealt with (sent, answered, or dropped with a count). The others stay with the device,
    /// which offers them again after <see cref="Devices.IDeviceQueue.TransmitReady"/>.
    /// </returns>
    int Transmit(in TxBatch batch);

    /// <summary>Tells that the guest has posted receive buffers after a reservation failed.</summary>
    void ReceiveReady();

    /// <summary>
    /// Ends the connection: no call to the device's side afterwards. What the endpoint keeps beyond (flows of a NAT) may go on in a queue
    /// that is opened later.
    /// </summary>
    void Close();
}
