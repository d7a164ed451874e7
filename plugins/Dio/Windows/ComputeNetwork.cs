using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NicHost.Dio.Windows;

/// <summary>computenetwork.dll, the host compute network service (HCN). Each call returns an HRESULT; texts are to be freed with CoTaskMemFree.</summary>
[SupportedOSPlatform("windows")]
internal static partial class ComputeNetwork
{
    private const string Library = "computenetwork.dll";

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial int HcnEnumerateNetworks(string? query, out nint networks, out nint error);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library)]
    public static partial int HcnOpenNetwork(in Guid id, out nint network, out nint error);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial int HcnQueryNetworkProperties(nint network, string? query, out nint properties, out nint error);

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport(Library)]
    public static partial int HcnCloseNetwork(nint network);

    /// <summary>Takes over a text and the record of an error, either of which may be null.</summary>
    public static string TakeText(nint text, nint error)
    {
        try { return Marshal.PtrToStringUni(text) ?? ""; }
        finally
        {
            Marshal.FreeCoTaskMem(text);
            Marshal.FreeCoTaskMem(error);
        }
    }
}
