using NicHost.Contracts.Diagnostics;

namespace NicHost.Consomme.Core;

/// <summary>A handler of guest frames for one transport protocol. Loop thread only.</summary>
internal interface IProtocol : IInspectable, IDisposable
{
    /// <summary>
    /// Deals with a frame whose IP header is checked, whose source is the guest's, and whose transport checksum is good or left open by
    /// the guest. The frame is lent for this call.
    /// </summary>
    void FromGuest(ref GuestFrame frame);

    /// <summary>Called once after each batch: the place to send gathered payload and one acknowledgement per flow.</summary>
    void EndBatch();
}
