namespace NicHost.Testing;

/// <summary>
/// Counts this process's open descriptors, but for the kinds that the runtime opens when it first needs them, whichever test runs then: each
/// assembly that is loaded, an epoll and pipes of its own, files of the system.
/// </summary>
public static class OpenDescriptors
{
    public static int Count() => Directory.GetFileSystemEntries("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget is { } target && !IsTheRuntimes(target));

    private static bool IsTheRuntimes(string target) =>
        target == "anon_inode:[eventpoll]" || target.EndsWith(".dll", StringComparison.Ordinal) || target.EndsWith(".so", StringComparison.Ordinal)
        || target.StartsWith("pipe:", StringComparison.Ordinal) || target.StartsWith("/dev/", StringComparison.Ordinal)
        || target.StartsWith("/proc", StringComparison.Ordinal) || target.StartsWith("/sys/", StringComparison.Ordinal);
}
