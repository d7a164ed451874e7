namespace NicHost.NetVsp.Nvsp;

/// <summary>Versions of NVSP as they travel.</summary>
internal static class NvspVersions
{
    public const uint V1 = 0x0000_0002;
    public const uint V2 = 0x0003_0002;
    public const uint V4 = 0x0004_0000;
    public const uint V5 = 0x0005_0000;
    public const uint V6 = 0x0006_0000;
    public const uint V6_1 = 0x0006_0001;

    /// <summary>All that are spoken, newest first.</summary>
    public static IReadOnlyList<uint> All { get; } = [V6_1, V6, V5, V4, V2, V1];

    /// <summary>The name that people use.</summary>
    public static string Text(uint version) => version switch
    {
        V1 => "1",
        V2 => "2",
        V4 => "4",
        V5 => "5",
        V6 => "6",
        V6_1 => "6.1",
        _ => $"0x{version:x}",
    };

    /// <summary>Reads such a name; null for anything that is not spoken.</summary>
    public static uint? Parse(string text)
    {
        foreach (var version in All)
        {
            if (Text(version) == text) return version;
        }
        return null;
    }
}
