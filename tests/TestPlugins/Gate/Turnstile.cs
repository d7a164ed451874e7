namespace NicHost.TestPlugins.Gate;

/// <summary>
/// A place where the plugin waits for the test: it creates <c>PATH.reached</c> and goes on when <c>PATH.go</c> exists, or after a minute.
/// No path, no wait.
/// </summary>
internal static class Turnstile
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    /// <summary>Blocks the calling thread, which is what a slow plugin would do.</summary>
    public static void Pass(string? path, string folder) => PassAsync(path, folder).GetAwaiter().GetResult();

    public static async Task PassAsync(string? path, string folder)
    {
        if (path is null) return;
        var full = Path.GetFullPath(path, folder);
        await File.WriteAllBytesAsync(full + ".reached", []).ConfigureAwait(false);
        var since = TimeProvider.System.GetTimestamp();
        while (!File.Exists(full + ".go") && TimeProvider.System.GetElapsedTime(since) < Limit) await Task.Delay(Interval).ConfigureAwait(false);
    }
}
