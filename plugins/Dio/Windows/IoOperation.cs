using System.Runtime.InteropServices;

namespace NicHost.Dio.Windows;

/// <summary>OVERLAPPED (minwinbase.h): one read or write that runs.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct IoOperation
{
    /// <summary>An NTSTATUS; <see cref="WindowsError.StatusPending"/> while it runs. The kernel writes it last.</summary>
    public nuint Status;

    /// <summary>Bytes carried, once it is done.</summary>
    public nuint Count;

    public uint OffsetLow;
    public uint OffsetHigh;

    /// <summary>The event that is set when it is done.</summary>
    public nint Event;
}
