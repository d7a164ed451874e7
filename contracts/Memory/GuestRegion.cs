namespace NicHost.Contracts.Memory;

/// <summary>One mapped run of guest memory.</summary>
/// <param name="GuestAddress">Guest-physical address of the first byte.</param>
/// <param name="Length">Length in bytes, not 0.</param>
/// <param name="HostAddress">Where the first byte is mapped in this process, readable and writable.</param>
/// <param name="UserAddress">The address that the VMM uses for the first byte (vhost-user ring addresses); 0 where there is none.</param>
public readonly record struct GuestRegion(ulong GuestAddress, ulong Length, nint HostAddress, ulong UserAddress = 0);
