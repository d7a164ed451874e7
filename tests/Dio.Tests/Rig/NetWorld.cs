using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using NicHost.Linux;

namespace NicHost.Dio.Tests.Rig;

/// <summary>A network namespace with nothing in it, on a thread of its own: what a test makes there ends with it.</summary>
internal static partial class NetWorld
{
    /// <summary>Runs a test inside, after the commands of <paramref name="setup"/>.</summary>
    public static void Run(string setup, Action test)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                ThisProcess.Unshare(ThisProcess.CloneNewNet).OrThrow("make a network namespace");
                Shell("ip link set lo up");
                Shell(setup);
                test();
            }
#pragma warning disable CA1031 // thrown again below
            catch (Exception e) { failure = ExceptionDispatchInfo.Capture(e); }
#pragma warning restore CA1031
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Runs commands in the namespace of the calling thread.</summary>
    /// <returns>What they printed.</returns>
    public static string Shell(string commands)
    {
        using var bash = Process.Start(new ProcessStartInfo("bash", ["-ec", commands]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = bash.StandardError.ReadToEndAsync();
        var output = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        Assert.True(bash.ExitCode == 0, $"{commands}: {errors.Result}");
        return output;
    }

    /// <summary>Runs a piece of a test as another user: only the calling thread loses its rights, and gets them back.</summary>
    public static void As(uint user, Action work)
    {
        SetUser(user);
        try { work(); }
        finally { SetUser(0); }
    }

    // The libc's own setresuid would change all threads.
    private static void SetUser(uint user)
    {
        const int setresuid = 117;
        Assert.True(syscall(setresuid, -1, (nint)user, -1) == 0, $"setresuid: {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c);
}
