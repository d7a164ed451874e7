using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PollFd
{
    /// <summary>The descriptor; negative to leave the entry out.</summary>
    public int Fd;

    /// <summary>What to wait for.</summary>
    public PollEvents Events;

    /// <summary>What was there (errors and hang-ups come unasked).</summary>
    public PollEvents Returned;
}

/// <summary>Bits of poll(2).</summary>
[Flags]
public enum PollEvents : short
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Readable.</summary>
    In = 0x1,
    /// <summary>Urgent data.</summary>
    Priority = 0x2,
    /// <summary>Writable.</summary>
    Out = 0x4,
    /// <summary>An error is pending.</summary>
    Error = 0x8,
    /// <summary>Both directions are closed.</summary>
    HangUp = 0x10,
    /// <summary>Not an open descriptor.</summary>
    Invalid = 0x20,
    /// <summary>The peer closed its writing side.</summary>
    ReadHangUp = 0x2000,
}
