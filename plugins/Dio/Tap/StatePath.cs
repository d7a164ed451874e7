using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>Where records lie, and which network namespace they are about.</summary>
internal static class StatePath
{
    /// <summary>
    /// <c>$RUNTIME_DIRECTORY/dio</c> (systemd's), for root <c>/run/nichost/dio</c>, else <c>$XDG_RUNTIME_DIR/nichost/dio</c>, else
    /// <c>/tmp/nichost-UID/dio</c>. What is made in the kernel does not outlive a start of the machine, nor do these.
    /// </summary>
    public static string Runs => Path.Combine(Root, "dio");

    /// <summary>Beside it, what <c>nichost dio prepare</c> made: it stays until it is told to undo it.</summary>
    public static string Prepared => Path.Combine(Root, "dio-prepared");

    /// <summary>Such as <c>net:[4026531840]</c>, of the calling thread.</summary>
    public static string Namespace => new FileInfo("/proc/thread-self/ns/net").LinkTarget ?? "unknown";

    private static string Root
    {
        get
        {
            if (Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY") is { Length: > 0 } given) return given.Split(':')[0];
            if (ThisProcess.EffectiveUserId == 0) return "/run/nichost";
            if (Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } user) return Path.Combine(user, "nichost");
            return Private($"/tmp/nichost-{ThisProcess.EffectiveUserId}");
        }
    }

    // Anyone may make a folder in /tmp: one that is not ours alone would let others say what we undo.
    private static string Private(string folder)
    {
        if (!OperatingSystem.IsWindows()) Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return FileStatus.Read(folder, out var status).Ok && status.User == ThisProcess.EffectiveUserId && !status.IsGroupWritable && !status.IsOtherWritable ? folder
            : throw new IOException($"{folder} is not our user's alone. Remove it, or set XDG_RUNTIME_DIR to a folder of our user.");
    }
}
