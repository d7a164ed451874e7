using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Options;

namespace NicHost.Host.Plugins;

/// <summary>Stands for a kind whose plugin failed: its NICs fail with the plugin's reason, and nothing else does.</summary>
internal interface IBrokenFactory;

/// <inheritdoc cref="IBrokenFactory"/>
internal sealed record BrokenDevice(PluginEntry Plugin) : IDeviceFactory, IBrokenFactory
{
    public OptionsModel Options => throw new PluginException(Plugin.Reason!);

    public int QueueCount(DeviceContext context) => throw new PluginException(Plugin.Reason!);

    public IDevice Create(DeviceContext context) => throw new PluginException(Plugin.Reason!);
}

/// <inheritdoc cref="IBrokenFactory"/>
internal sealed record BrokenEndpoint(PluginEntry Plugin) : IEndpointFactory, IBrokenFactory
{
    public OptionsModel Options => throw new PluginException(Plugin.Reason!);

    public IEndpoint Create(EndpointContext context) => throw new PluginException(Plugin.Reason!);
}
