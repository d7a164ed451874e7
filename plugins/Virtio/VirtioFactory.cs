using NicHost.Contracts.Devices;
using NicHost.Contracts.Options;

namespace NicHost.Virtio;

/// <summary>Makes virtio network cards.</summary>
[DeviceKind("virtio")]
public sealed class VirtioFactory : IDeviceFactory
{
    /// <inheritdoc/>
    public OptionsModel Options => VirtioOptionsCheck.Model;

    /// <inheritdoc/>
    public int QueueCount(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return VirtioOptionsCheck.Model.Bind(context.Options).Queues;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return [ResourceClaim.OfPath("socket", VirtioOptionsCheck.Model.Bind(context.Options).Socket, context.BaseDirectory, "$.socket")];
    }

    /// <inheritdoc/>
    public IDevice Create(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new VirtioDevice(context, VirtioOptionsCheck.Model.Bind(context.Options));
    }
}
