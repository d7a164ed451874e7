using NicHost.Linux;

namespace NicHost.Host.Control;

/// <summary>Where the control socket is when nobody says.</summary>
internal static class ControlPath
{
    private const string Name = "nichost.sock";

    /// <summary>The runtime folder that the service's unit has.</summary>
    private const string ServiceFolder = "/run/nichost";

    /// <summary>
    /// Where a host listens: <c>$NICHOST_CONTROL</c>, else <c>nichost.sock</c> in the runtime folder that systemd gave the service, else in
    /// <c>$XDG_RUNTIME_DIR</c>, else <c>/tmp/nichost-UID.sock</c>.
    /// </summary>
    public static string ForHost => Named
        ?? (Variable("RUNTIME_DIRECTORY")?.Split(':')[0] is { } given ? Path.Combine(given, Name) : OfUser);

    /// <summary>Where a host is asked: <c>$NICHOST_CONTROL</c>, else the user's own, else, when that is not there, the service's.</summary>
    public static string ForClient
    {
        get
        {
            if (Named is { } named) return named;
            var ofService = Path.Combine(ServiceFolder, Name);
            return !File.Exists(OfUser) && File.Exists(ofService) ? ofService : OfUser;
        }
    }

    private static string? Named => Variable("NICHOST_CONTROL");

    private static string OfUser => Variable("XDG_RUNTIME_DIR") is { } folder && Directory.Exists(folder)
        ? Path.Combine(folder, Name)
        : $"/tmp/nichost-{ThisProcess.EffectiveUserId}.sock";

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
