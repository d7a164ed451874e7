using NicHost.Contracts.Devices;
using NicHost.Contracts.Options;

namespace NicDevice1;

/// <summary>What the host finds: makes devices of one kind. Stateless; all that lives is in the device.</summary>
[DeviceKind("nic-device-kind")]
public sealed class StreamFactory : IDeviceFactory
{
    /// <inheritdoc/>
    public OptionsModel Options => StreamOptions.Model;

    /// <inheritdoc/>
    public int QueueCount(DeviceContext context) => 1;

    /// <summary>Two NICs that want the same socket are found before either starts.</summary>
    public IReadOnlyList<ResourceClaim> Claims(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return [new ResourceClaim($"socket {StreamOptions.Model.Bind(context.Options).FullPath(context)}", "$.socket")];
    }

    /// <inheritdoc/>
    public IDevice Create(DeviceContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new StreamDevice(context, StreamOptions.Model.Bind(context.Options).FullPath(context));
    }
}
