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
    public int QueueCount(DeviceContext context) => Read(context).Queues;

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return [ResourceClaim.OfPath("socket", Read(context).Socket, context.BaseDirectory, "$.socket")];
    }

    /// <inheritdoc/>
    public IDevice Create(DeviceContext context) => new VirtioDevice(context, Read(context));

    /// <inheritdoc/>
    /// <remarks>What the front-end was told, or found its way by, stays.</remarks>
    public bool CanReconfigure(DeviceContext running, DeviceContext wanted)
    {
        ArgumentNullException.ThrowIfNull(running);
        ArgumentNullException.ThrowIfNull(wanted);
        return running.Mac == wanted.Mac && running.Mtu == wanted.Mtu && Fixed(running) == Fixed(wanted);
    }

    internal static VirtioOptions Read(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return VirtioOptionsCheck.Model.Bind(context.Options);
    }

    /// <summary>The options without those that may change.</summary>
    private static VirtioOptions Fixed(DeviceContext context)
    {
        var options = Read(context);
        return options with
        {
            Socket = Path.GetFullPath(options.Socket, context.BaseDirectory), SocketMode = "", Owner = null, Group = null, LinkByReconnect = null,
        };
    }
}
