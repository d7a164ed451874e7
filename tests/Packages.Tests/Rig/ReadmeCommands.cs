namespace NicHost.Packages.Tests.Rig;

/// <summary>The command lines of a readme: its indented lines, in their order.</summary>
internal static class ReadmeCommands
{
    public static IReadOnlyList<string> Of(string readme) =>
        [.. File.ReadLines(readme).Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Trim())];
}
