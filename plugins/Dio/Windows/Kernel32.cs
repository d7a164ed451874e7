using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace NicHost.Dio.Windows;

/// <summary>Overlapped reads and writes (ioapiset.h, fileapi.h).</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Kernel32
{
    private const string Library = "kernel32.dll";

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool ReadFile(SafeFileHandle file, byte* buffer, int length, int* read, IoOperation* operation);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool WriteFile(SafeFileHandle file, byte* buffer, int length, int* written, IoOperation* operation);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CancelIoEx(SafeFileHandle file, IoOperation* operation);
}
