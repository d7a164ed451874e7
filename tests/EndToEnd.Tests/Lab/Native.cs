using System.ComponentModel;
using System.Runtime.InteropServices;

namespace NicHost.EndToEnd.Tests.Lab;

internal static partial class Native
{
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    private const int CloneNewNet = 0x40000000;

    /// <summary>Moves the calling thread into the network namespace that <paramref name="path"/> names.</summary>
    public static void EnterNetworkNamespace(string path)
    {
        using var file = File.OpenHandle(path);
        if (SetNs((int)file.DangerousGetHandle(), CloneNewNet) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"setns({path})");
    }

    public static void Signal(int process, int signal)
    {
        if (Kill(process, signal) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({process}, {signal})");
    }

    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)]
    private static partial int SetNs(int descriptor, int type);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();
}
