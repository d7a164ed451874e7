using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NicHost.Dio.Windows;

/// <summary>vmsif.dll, vmswitch's user-mode interface. Each call returns 0 or a Windows error. It is not documented; other users of it show its shape.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class VmsIf
{
    private const string Library = "vmsif.dll";

    /// <summary>A port for a NIC whose frames user mode carries.</summary>
    public const uint PortTypeEmulated = 4;

    /// <summary>The version of the interface that a NIC is made for.</summary>
    public const uint SwitchVersion = 0x100;

    /// <summary>Who keeps the port: a light-weight VMM, not the management service.</summary>
    public const uint OwnerLightweight = 0x1173;

    public const uint ConnectMilliseconds = 10_000;

    /// <summary>Where a NIC is opened: <c>\\.\VmSwitch\</c> and its name.</summary>
    public const string DevicePrefix = @"\\.\VmSwitch\";

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint VmsIfNicCreateEmulated(out SafeFileHandle nic, string path);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint VmsIfNicMorphToEmulatedNic(SafeFileHandle nic, string nicName, string friendlyName, string deviceId, string vmName, string vmId,
        byte* mac, [MarshalAs(UnmanagedType.U1)] bool isStaticMac, ulong partitionId, uint switchVersion);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint VmsIfPortCreateWithHandle(out SafeFileHandle port, string switchId, string portId, string? friendlyName,
        uint portType, uint hasSavedState, uint isPersistent, uint owner);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint VmsIfNicConnect(SafeFileHandle nic, string switchId, string portId, string nicName, uint milliseconds);
}
