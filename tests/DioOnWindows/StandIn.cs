using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NicHost.DioOnWindows;

/// <summary>What the stand-in for vmsif.dll offers to tests beside what it stands in for, and the call by which a management stack makes a port.</summary>
internal static partial class StandIn
{
    private const string Library = "vmsif.dll";

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint VmsIfPortCreateWithHandle(out SafeFileHandle port, string switchId, string portId, string? friendlyName,
        uint portType, uint hasSavedState, uint isPersistent, uint owner);

    /// <summary>Takes the switch away, or brings it back: NICs in it are cut off, and nothing new gets in.</summary>
    [LibraryImport(Library)]
    public static partial void StandInSetSwitch([MarshalAs(UnmanagedType.Bool)] bool isThere);

    /// <summary>Ends a read of every NIC with these bytes.</summary>
    [LibraryImport(Library)]
    public static partial void StandInInject(ReadOnlySpan<byte> bytes, int length);

    /// <summary>Frames that vmswitch would not have taken: shorter than 60 bytes, longer than 1518.</summary>
    [LibraryImport(Library)]
    public static partial int StandInBadFrames();

    /// <summary>NICs in a switch.</summary>
    [LibraryImport(Library)]
    public static partial int StandInConnected();

    /// <summary>The most frames that were in one chain.</summary>
    [LibraryImport(Library)]
    public static partial int StandInLongestChain();
}
