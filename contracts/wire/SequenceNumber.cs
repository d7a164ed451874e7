using System.Runtime.CompilerServices;

namespace NicHost.Wire;

/// <summary>TCP's arithmetic on sequence numbers modulo 2^32 (RFC 9293 section 3.4). Comparisons hold for distances below 2^31.</summary>
public static class SequenceNumber
{
    /// <summary>How far <paramref name="to"/> is ahead of <paramref name="from"/>; negative when it is behind.</summary>
    /// <param name="from">A sequence number.</param>
    /// <param name="to">Another.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Distance(uint from, uint to) => (int)(to - from);

    /// <summary>left is before right.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Before(uint left, uint right) => (int)(left - right) < 0;

    /// <summary>left is before right or the same.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool BeforeOrAt(uint left, uint right) => (int)(left - right) <= 0;

    /// <summary>left is after right.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool After(uint left, uint right) => (int)(left - right) > 0;

    /// <summary>left is after right or the same.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AfterOrAt(uint left, uint right) => (int)(left - right) >= 0;

    /// <summary>Whether a number lies in a window: start &lt;= value &lt; start + length.</summary>
    /// <param name="value">A sequence number.</param>
    /// <param name="start">Where the window starts.</param>
    /// <param name="length">Its length.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool InWindow(uint value, uint start, uint length) => value - start < length;

    /// <summary>The later of two.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    public static uint Later(uint left, uint right) => After(left, right) ? left : right;

    /// <summary>The earlier of two.</summary>
    /// <param name="left">A sequence number.</param>
    /// <param name="right">Another.</param>
    public static uint Earlier(uint left, uint right) => Before(left, right) ? left : right;
}
