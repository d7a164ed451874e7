using System.Diagnostics;
using NicHost.Host.Plugins.Preflight;

namespace NicHost.Host.Plugins;

/// <summary>
/// The folders that were found so far. A look finds what has come and gone; what was loaded stays what it is. Between two thorough looks
/// only folders that are known to be whole are considered: one that is just being copied in is not. One thread at a time.
/// </summary>
internal sealed class PluginInventory
{
    private readonly PluginEntry _builtIn = BuiltInPlugin.Create();
    private readonly Dictionary<string, PluginEntry> _entries = new(StringComparer.Ordinal);

    /// <summary>Looks at everything that is there, and anew at what was not loaded.</summary>
    public PluginCatalog LookAgain(PluginSettings settings, Func<PluginEntry, bool> isUsed) => Look(settings, _ => true, isUsed);

    /// <summary>Looks at what has come by a rename, and at what is gone.</summary>
    /// <param name="settings">The roots.</param>
    /// <param name="arrived">Paths of the folders that were renamed to where they are.</param>
    /// <param name="isUsed">Whether a VM uses a plugin.</param>
    public PluginCatalog Look(PluginSettings settings, IReadOnlySet<string> arrived, Func<PluginEntry, bool> isUsed) =>
        Look(settings, folder => arrived.Contains(folder.Path), isUsed);

    /// <summary>Gives up what was loaded and nobody uses, where that can be unloaded.</summary>
    /// <param name="isUsed">Whether a VM uses a plugin.</param>
    /// <returns>Each with its load context, which is dead once it is gone.</returns>
    public IReadOnlyList<(PluginEntry Plugin, WeakReference Context)> GiveUp(Func<PluginEntry, bool> isUsed)
    {
        var given = new List<(PluginEntry, WeakReference)>();
        foreach (var entry in _entries.Values.Where(entry => entry.IsLoaded && !isUsed(entry)))
        {
            if (entry.GiveUp() is { } context) given.Add((entry, context));
        }
        return given;
    }

    private PluginCatalog Look(PluginSettings settings, Func<PluginFolder, bool> isWhole, Func<PluginEntry, bool> isUsed)
    {
        var found = new List<(int Root, PluginEntry Entry)>();
        var writers = settings.AllowWritable ? null : WriteCheck.Host();
        for (var root = 0; root < settings.Roots.Count; root++)
            found.AddRange(LookInto(settings.Roots[root], settings, writers, isWhole, isUsed).Select(entry => (root, entry)));
        found.AddRange(Gone(found, settings, isUsed));
        found.Sort(static (a, b) => Compare(a.Root, b.Root, a.Entry, b.Entry));
        return CatalogBuilder.Build([_builtIn, .. found.Select(f => f.Entry)]);
    }

    private IEnumerable<PluginEntry> LookInto(string root, PluginSettings settings, WriteCheck? writers, Func<PluginFolder, bool> isWhole, Func<PluginEntry, bool> isUsed)
    {
        if (RootCheck.Refusal(root, writers) is { } refusal) return [PluginEntry.Refused(new PluginFolder(Path.GetFileName(root), "", root), refusal)];
        return [.. PluginFolder.Scan(root).Select(folder => Entry(folder, settings, writers, isWhole(folder), isUsed)).OfType<PluginEntry>()];
    }

    private PluginEntry? Entry(PluginFolder folder, PluginSettings settings, WriteCheck? writers, bool isWhole, Func<PluginEntry, bool> isUsed)
    {
        if (_entries.TryGetValue(folder.Path, out var known))
        {
            known.Compare(isWhole);
            if (known.IsProven && writers?.Folder(folder) is { } refusal) return Keep(known, refusal, isUsed);
            if (known.IsLoaded || (known.IsProven ? !known.IsReplaced : !isWhole)) return Back(known);
            isWhole |= known.IsReplacedWhole;
        }
        if (isWhole) return _entries[folder.Path] = Examine(folder, settings, writers);
        if (folder.Version.Length == 0 && !PluginFolder.HasAssemblies(folder.Path)) return null;
        return PluginEntry.Refused(folder,
            "It was made here while the host runs, so that it may be half-copied. Copy it beside and rename it to its place, or let the host look: \"nichost plugins --rescan\".");
    }

    // One that was gone is back; the builder says what it is now.
    private static PluginEntry Back(PluginEntry known)
    {
        if (known.Status == PluginStatus.Removed) known.Judge(PluginStatus.Superseded, null);
        return known;
    }

    // Loaded when it was allowed, or when its folder was not what it is now.
    private static PluginEntry Keep(PluginEntry known, string refusal, Func<PluginEntry, bool> isUsed)
    {
        if (!isUsed(known)) return PluginEntry.Refused(known.Folder, refusal);
        known.Judge(PluginStatus.Removed, $"VMs that use it keep it, others cannot get it. {refusal}");
        return known;
    }

    private static PluginEntry Examine(PluginFolder folder, PluginSettings settings, WriteCheck? writers)
    {
        var started = Stopwatch.GetTimestamp();
        var (manifest, refusal) = PluginPreflight.Check(folder, writers);
        if (manifest is null) return PluginEntry.Refused(folder, refusal!);
        var timing = new PluginTiming(Stopwatch.GetElapsedTime(started).TotalMilliseconds, 0, 0);
        return PluginEntry.Usable(folder, manifest, timing, entry => PluginContext.Load(entry, settings));
    }

    private List<(int Root, PluginEntry Entry)> Gone(List<(int Root, PluginEntry Entry)> found, PluginSettings settings, Func<PluginEntry, bool> isUsed)
    {
        var gone = new List<(int, PluginEntry)>();
        var present = found.Select(f => f.Entry.Path).ToHashSet(StringComparer.Ordinal);
        foreach (var (path, entry) in _entries.Where(e => !present.Contains(e.Key)).ToArray())
        {
            // What is loaded stays loaded, and is the same should the folder come back.
            if (!entry.IsLoaded) _entries.Remove(path);
            if (!entry.IsLoaded || !isUsed(entry)) continue;
            var what = !Directory.Exists(path) ? "Its folder is gone" : settings.Roots.Contains(entry.Folder.Root) ? "Its root is refused now" : "Its root is not listed any more";
            entry.Judge(PluginStatus.Removed, $"{what}. VMs that use it keep it, others cannot get it. Put it back to offer it again.");
            gone.Add((RootOf(entry, settings), entry));
        }
        return gone;
    }

    private static int RootOf(PluginEntry entry, PluginSettings settings) =>
        settings.Roots.TakeWhile(root => root != entry.Folder.Root).Count();

    private static int Compare(int rootA, int rootB, PluginEntry a, PluginEntry b)
    {
        if (rootA != rootB) return rootA - rootB;
        var byName = string.CompareOrdinal(a.Name, b.Name);
        return byName != 0 ? byName : PluginFolder.CompareVersions(a.Version, b.Version);
    }
}
