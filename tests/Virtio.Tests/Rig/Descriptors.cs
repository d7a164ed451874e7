using NicHost.Testing;

namespace NicHost.Virtio.Tests.Rig;

/// <summary>Counts this process's open descriptors. Tests that use it run alone.</summary>
internal static class Descriptors
{
    public static int Open() => OpenDescriptors.Count();
}
