namespace NicHost.Host.Plugins.Preflight;

/// <summary>Whether a plugin root can be used at all.</summary>
internal static class RootCheck
{
    public static string? Refusal(string root, WriteCheck? writers)
    {
        try
        {
            if (!Directory.Exists(root)) return "This plugin root does not exist. Make it, or take it out of \"plugins\".";
            _ = Directory.EnumerateDirectories(root).Any();
            return writers?.Root(root);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"This plugin root cannot be read: {e.Message}";
        }
    }
}
