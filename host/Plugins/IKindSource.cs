using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Host.Plugins;

/// <summary>Where a topology's kinds come from. The VM counts: one that runs keeps the plugin versions that it started with.</summary>
internal interface IKindSource
{
    /// <summary>Kinds that a <c>device</c> may name, sorted.</summary>
    IReadOnlyList<string> DeviceKinds { get; }

    /// <summary>Kinds that an <c>endpoint</c> may name, sorted.</summary>
    IReadOnlyList<string> EndpointKinds { get; }

    /// <summary>Every plugin that was found, used or not.</summary>
    IReadOnlyList<PluginEntry> Plugins { get; }

    /// <summary>The device kind <paramref name="kind"/> for a NIC of <paramref name="vm"/>; null when there is none.</summary>
    PluginKind<IDeviceFactory>? Device(string vm, string kind);

    /// <summary>The endpoint kind <paramref name="kind"/> for a NIC of <paramref name="vm"/>; null when there is none.</summary>
    PluginKind<IEndpointFactory>? Endpoint(string vm, string kind);
}

/// <summary>A kind of device or endpoint and the plugin that it comes from.</summary>
internal sealed record PluginKind<TFactory>(string Kind, TFactory Factory, PluginEntry Plugin) where TFactory : class;
