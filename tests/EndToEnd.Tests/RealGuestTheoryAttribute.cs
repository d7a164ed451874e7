namespace NicHost.EndToEnd.Tests;

/// <summary>As <see cref="RealGuestFactAttribute"/>, with a guest for each set of values.</summary>
internal sealed class RealGuestTheoryAttribute : TheoryAttribute
{
    public RealGuestTheoryAttribute()
    {
        if (!RealGuestFactAttribute.Enabled)
            Skip = "boots a real guest: run ./test, or set NICHOST_REAL_GUESTS=1";
    }
}
