using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>A test that boots a guest: runs where NICHOST_REAL_GUESTS=1, as ./test sets it; elsewhere it is skipped.</summary>
internal sealed class RealGuestFactAttribute : FactAttribute
{
    public static bool Enabled { get; } = Environment.GetEnvironmentVariable("NICHOST_REAL_GUESTS") == "1";

    public RealGuestFactAttribute()
    {
        if (!Enabled)
            Skip = "boots a real guest: run ./test, or set NICHOST_REAL_GUESTS=1";
    }

    /// <summary>Said once and clearly instead of by forty failing commands.</summary>
    public static void DemandRights()
    {
        if (Native.EffectiveUser() != 0)
            throw new InvalidOperationException("real-guest tests make network namespaces and need root: run ./test as root");
    }
}
