using System.Diagnostics;

namespace NicHost.EndToEnd.Tests.Lab;

internal static class Wait
{
    /// <summary>Polls another process's state, which has no event to wait for, until it is as wanted.</summary>
    public static async Task UntilAsync(Func<bool> condition, TimeSpan limit, Func<string> otherwise)
    {
        var begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(begin) > limit)
                throw new TimeoutException(otherwise());
            await Task.Delay(20);
        }
    }
}
