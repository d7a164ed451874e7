using System.CommandLine.Completions;

namespace NicHost.Host.Completion;

/// <summary>Names of files and folders, in the folder that the word has come to; a folder's ends with a slash.</summary>
internal static class PathNames
{
    /// <summary>Folders, and topology files.</summary>
    public static IEnumerable<CompletionItem> Topologies(CompletionContext context) => Names(context.WordToComplete, name => name.EndsWith(".json", StringComparison.Ordinal));

    /// <summary>Folders and any files.</summary>
    public static IEnumerable<CompletionItem> Files(CompletionContext context) => Names(context.WordToComplete, _ => true);

    /// <summary>Folders.</summary>
    public static IEnumerable<CompletionItem> Folders(CompletionContext context) => Names(context.WordToComplete, _ => false);

    private static CompletionItem[] Names(string word, Func<string, bool> isWanted)
    {
        if (word.StartsWith('-')) return [];
        var typed = word[..(word.LastIndexOf('/') + 1)];
        var start = word[typed.Length..];
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var folder = typed.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(home, typed[2..]) : Path.GetFullPath(typed.Length > 0 ? typed : ".");
        try
        {
            return [.. new DirectoryInfo(folder).EnumerateFileSystemInfos()
                .Where(entry => entry.Name.StartsWith(start, StringComparison.Ordinal) && (start.Length > 0 || entry.Name[0] != '.'))
                .Select(entry => (entry.Name, IsFolder: Directory.Exists(entry.FullName)))
                .Where(entry => entry.IsFolder || isWanted(entry.Name))
                .OrderBy(entry => entry.Name, StringComparer.Ordinal)
                .Select(entry => new CompletionItem($"{typed}{entry.Name}{(entry.IsFolder ? "/" : "")}"))];
        }
        // Not there, or not to be read: nothing to offer.
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) { return []; }
    }
}
