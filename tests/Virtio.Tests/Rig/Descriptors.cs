namespace NicHost.Virtio.Tests.Rig;

/// <summary>Counts this process's open descriptors. Tests that use it run alone.</summary>
internal static class Descriptors
{
    public static int Open() => Directory.GetFiles("/proc/self/fd").Length;
}
