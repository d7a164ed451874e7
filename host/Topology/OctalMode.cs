namespace NicHost.Host.Topology;

/// <summary>Rights of a file as people write them: <c>0660</c>.</summary>
internal static class OctalMode
{
    /// <returns>Null when the text is not three or four octal digits, or has more than the rights of user, group and others.</returns>
    public static UnixFileMode? Parse(string text)
    {
        if (text.Length is < 3 or > 4 || text.Any(c => c is < '0' or > '7')) return null;
        var mode = Convert.ToInt32(text, 8);
        return mode <= 0x1ff ? (UnixFileMode)mode : null;
    }
}
