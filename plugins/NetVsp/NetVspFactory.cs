using NicHost.Contracts.Devices;
using NicHost.Contracts.Options;

namespace NicHost.NetVsp;

/// <summary>Makes Hyper-V's synthetic network cards.</summary>
[DeviceKind("netvsp")]
public sealed class NetVspFactory : IDeviceFactory
{
    /// <inheritdoc/>
    public OptionsModel Options => NetVspOptionsCheck.Model;

    /// <inheritdoc/>
    public int QueueCount(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return NetVspOptionsCheck.Model.Bind(context.Options).Queues;
    }

    /// <inheritdoc/>
    public IReadOnlyList<ResourceClaim> Claims(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var path = Path.GetFullPath(NetVspOptionsCheck.Model.Bind(context.Options).Socket, context.BaseDirectory);
        // One bus carries all NICs of a VM.
        return [new ResourceClaim($"socket {path}", "$.socket", SharedInVm: true)];
    }

    /// <inheritdoc/>
    public IDevice Create(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new NetVspDevice(context, NetVspOptionsCheck.Model.Bind(context.Options));
    }
}
