using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;

namespace NicHost.Testing.Conformance;

/// <summary>Options that an endpoint takes while it runs.</summary>
/// <param name="Factory">Makes it.</param>
/// <param name="Running">What it is made from.</param>
/// <param name="Wanted">What it can become: the factory says so, there and back.</param>
public sealed record EndpointChange(IEndpointFactory Factory, EndpointContext Running, EndpointContext Wanted);

/// <summary>Options that a device takes while it runs.</summary>
/// <param name="Factory">Makes it.</param>
/// <param name="Running">What it is made from.</param>
/// <param name="Wanted">What it can become: the factory says so, there and back.</param>
public sealed record DeviceChange(IDeviceFactory Factory, DeviceContext Running, DeviceContext Wanted);
