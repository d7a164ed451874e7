namespace NicHost.Host.Plugins;

/// <summary>A kind as a topology names it: <c>virtio</c>, the newest, or <c>virtio@0.1.0</c>, that version.</summary>
internal readonly record struct KindReference(string Kind, string? Version)
{
    public static KindReference Parse(string text) =>
        text.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at ? new KindReference(text[..at], text[(at + 1)..]) : new KindReference(text, null);

    public override string ToString() => Version is null ? Kind : $"{Kind}@{Version}";
}
