namespace NicHost.EndToEnd.Tests;

public sealed class HyperVMtu1500() : GuestFixture(GuestKind.HyperV, 1500);

/// <summary>The same network as through virtio, by the kernel's own hv_netvsc.</summary>
public sealed class HyperVMtu1500Tests(HyperVMtu1500 fixture) : GuestNetworkTests(fixture), IClassFixture<HyperVMtu1500>;
