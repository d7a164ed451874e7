using NicHost.Contracts.Frames;
using NicHost.Probe.Driver;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;

namespace NicHost.Benchmarks.Bulk;

/// <summary>The guest of a measurement, behind either kind of device. Both have the same memory, and what one may leave to the host the other may, too.</summary>
internal static class BulkGuest
{
    private const int Memory = 128 << 20;

    /// <param name="device">Kind of the device.</param>
    /// <param name="socket">Where it is served.</param>
    /// <param name="superFrames">Whether frames beyond the MTU pass, in both directions.</param>
    /// <param name="bufferSize">Bytes of a receive buffer, where the guest makes them (virtio); null for the usual.</param>
    public static IGuest Start(string device, string socket, bool superFrames, int? bufferSize) => device == "virtio"
        ? Virtio(socket, superFrames ? VirtioFeatures.Default : VirtioFeatures.Default & ~VirtioFeatures.Gso, bufferSize)
        : NetvscGuest.Start(new NetvscOptions
        {
            Socket = socket,
            Offloads = superFrames ? OffloadSet.Checksum | OffloadSet.AllGso : OffloadSet.Checksum,
            MemorySize = Memory,
            MemoryRegions = 1,
            // What hv_netvsc takes.
            ReceiveBuffer = 16 << 20,
            SendBuffer = 1 << 20,
            RingPages = 128,
        });

    /// <summary>Behind virtio.</summary>
    public static IGuest Virtio(string socket, VirtioFeatures features, int? bufferSize = null) => ProbeGuest.Start(new GuestOptions
    {
        Frontend = new FrontendOptions { Socket = socket, Features = features },
        MemorySize = Memory,
        MemoryRegions = 1,
        BufferSize = bufferSize,
    });

    /// <summary>Frames that the device is done with.</summary>
    public static long Sent(IGuest guest)
    {
        if (guest is NetvscGuest netvsc) return netvsc.FramesSent - netvsc.Driver.Primary.InFlight;
        var queue = ((ProbeGuest)guest).Tx[0];
        queue.Reclaim();
        return queue.Frames - queue.InFlight;
    }
}
