using NicHost.Dio.Shape;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>Undoes what was made, if it is still there and still that.</summary>
internal static class LinuxUndo
{
    /// <returns>Why it stays behind; null when it is gone, or is not ours any more.</returns>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public static string? Undo(MadeThing thing)
    {
        if (thing.Kind == MadeKind.OpenVSwitchPort) return OpenVSwitch.UndoPort(thing);
        using var rtnl = new Rtnl();
        return thing.Kind switch
        {
            MadeKind.Bridge => Bridge.UndoBridge(rtnl, thing),
            MadeKind.Port => Bridge.UndoPort(rtnl, thing),
            _ => UndoTap(rtnl, thing),
        };
    }

    private static string? UndoTap(Rtnl rtnl, MadeThing thing)
    {
        if (rtnl.Find(thing.Name) is not { Kind: "tun" } tap || $"{tap.Mac:x12}" != thing.Mark) return null;
        rtnl.Remove(tap.Index, tap.Name);
        return null;
    }
}
