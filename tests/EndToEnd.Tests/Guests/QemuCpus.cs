namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>
/// Processors of a guest under QEMU. In software emulation QEMU 7.2 leaves out the guest's memory barriers where it can have one processor only
/// (tcg_gen_mb; mended in later versions): a guest that unmasks signals and looks again then sees the ring as it was, and sleeps for good. Room for
/// a second processor brings the barriers back.
/// </summary>
internal static class QemuCpus
{
    /// <summary>The value of <c>-smp</c>.</summary>
    public static string Option(int cpus) => $"{cpus},maxcpus={Math.Max(2, cpus)}";
}
