using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Where the control socket is.</summary>
internal static class ControlPath
{
    /// <summary><c>$XDG_RUNTIME_DIR/nichost.sock</c>, without it <c>/tmp/nichost-UID.sock</c>.</summary>
    public static string Default => Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } folder && Directory.Exists(folder)
        ? Path.Combine(folder, "nichost.sock")
        : $"/tmp/nichost-{ThisProcess.EffectiveUserId}.sock";
}
