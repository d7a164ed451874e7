namespace NicHost.Host.Completion;

/// <summary>The scripts that make a shell ask <c>nichost [suggest:POSITION] LINE</c>; they lie beside this file.</summary>
internal static class ShellScript
{
    public static IReadOnlyList<string> Shells { get; } = ["bash", "zsh", "fish"];

    public static string Of(string shell)
    {
        using var reader = new StreamReader(typeof(ShellScript).Assembly.GetManifestResourceStream($"nichost.{shell}")!);
        return reader.ReadToEnd();
    }
}
