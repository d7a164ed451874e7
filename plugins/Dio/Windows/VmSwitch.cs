using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NicHost.Dio.Windows;

/// <summary>Windows itself.</summary>
[SupportedOSPlatform("windows")]
internal sealed class VmSwitch : IVmSwitch
{
    public string Networks()
    {
        var result = ComputeNetwork.HcnEnumerateNetworks(null, out var text, out var error);
        var networks = ComputeNetwork.TakeText(text, error);
        Check(nameof(ComputeNetwork.HcnEnumerateNetworks), result);
        return networks;
    }

    public string Network(Guid id)
    {
        var result = ComputeNetwork.HcnOpenNetwork(id, out var network, out var error);
        ComputeNetwork.TakeText(0, error);
        Check(nameof(ComputeNetwork.HcnOpenNetwork), result);
        try
        {
            result = ComputeNetwork.HcnQueryNetworkProperties(network, null, out var text, out error);
            var properties = ComputeNetwork.TakeText(text, error);
            Check(nameof(ComputeNetwork.HcnQueryNetworkProperties), result);
            return properties;
        }
        finally { _ = ComputeNetwork.HcnCloseNetwork(network); }
    }

    public IDisposable MakePort(Guid switchId, Guid port)
    {
        var error = VmsIf.VmsIfPortCreateWithHandle(out var handle, $"{switchId}", $"{port}", null, VmsIf.PortTypeEmulated, 0, 0, VmsIf.OwnerLightweight);
        return Owned(nameof(VmsIf.VmsIfPortCreateWithHandle), error, handle);
    }

    public unsafe IVmNic MakeNic(in VmNicIdentity identity)
    {
        var name = $"{identity.Vm}--{identity.Name}";
        var handle = Owned(nameof(VmsIf.VmsIfNicCreateEmulated), VmsIf.VmsIfNicCreateEmulated(out var opened, VmsIf.DevicePrefix + name), opened);
        var mac = stackalloc byte[6];
        for (var i = 0; i < 6; i++) mac[i] = (byte)(identity.Mac >> (40 - (8 * i)));
        var vm = $"{identity.Vm}";
        // SAFETY: mac holds six bytes and outlives the call.
        var error = VmsIf.VmsIfNicMorphToEmulatedNic(handle, name, identity.FriendlyName, $"{Guid.NewGuid()}", vm, vm, mac, isStaticMac: true, partitionId: 0, VmsIf.SwitchVersion);
        return new VmNic(Owned(nameof(VmsIf.VmsIfNicMorphToEmulatedNic), error, handle), name);
    }

    /// <summary>The handle, or, after an error, nothing but the exception.</summary>
    private static SafeFileHandle Owned(string call, uint error, SafeFileHandle handle)
    {
        if (error == 0 && !handle.IsInvalid) return handle;
        handle.Dispose();
        throw new VmSwitchException(call, error == 0 ? WindowsError.InvalidHandle : (int)error);
    }

    private static void Check(string call, int result)
    {
        if (result < 0) throw new VmSwitchException(call, result);
    }
}

/// <summary>A NIC's handle.</summary>
/// <param name="handle">Taken over.</param>
/// <param name="name">The NIC's name, VM included.</param>
[SupportedOSPlatform("windows")]
internal sealed unsafe class VmNic(SafeFileHandle handle, string name) : IVmNic
{
    public void Connect(Guid switchId, Guid port)
    {
        var error = VmsIf.VmsIfNicConnect(handle, $"{switchId}", $"{port}", name, VmsIf.ConnectMilliseconds);
        if (error != 0) throw new VmSwitchException(nameof(VmsIf.VmsIfNicConnect), (int)error);
    }

    public int Read(byte* buffer, int length, IoOperation* operation) =>
        Kernel32.ReadFile(handle, buffer, length, null, operation) ? 0 : Failure();

    public int Write(byte* buffer, int length, IoOperation* operation) =>
        Kernel32.WriteFile(handle, buffer, length, null, operation) ? 0 : Failure();

    public void Cancel() => _ = Kernel32.CancelIoEx(handle, null);

    public void Dispose() => handle.Dispose();

    private static int Failure() => System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is > 0 and var error ? error : WindowsError.InvalidHandle;
}
