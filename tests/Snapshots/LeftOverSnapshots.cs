using System.Reflection;
using Xunit.Sdk;

namespace VerifyXunit;

/// <summary>
/// Accepted files that no test of an assembly compares with any more: their class, method or case is gone. A case's text is one of the theory's
/// arguments, or the name of the file that it is, without folder and extension.
/// </summary>
internal static class LeftOverSnapshots
{
    private const string Mark = ".verified.";

    /// <param name="tests">The assembly.</param>
    /// <param name="folder">Its project's folder.</param>
    /// <returns>Paths from that folder on, sorted.</returns>
    public static IReadOnlyList<string> Find(Assembly tests, string folder)
    {
        var names = tests.GetTypes().SelectMany(Names).ToHashSet(StringComparer.Ordinal);
        return [.. Directory.EnumerateFiles(folder, $"*{Mark}*", SearchOption.AllDirectories)
            .Where(path => !names.Contains(Stem(path)))
            .Select(path => Path.GetRelativePath(folder, path)).Order(StringComparer.Ordinal)];
    }

    private static string Stem(string path)
    {
        var name = Path.GetFileName(path);
        return name[..name.IndexOf(Mark, StringComparison.Ordinal)];
    }

    private static IEnumerable<string> Names(Type type) =>
        type.GetMethods().Where(method => method.IsDefined(typeof(FactAttribute))).SelectMany(method => Cases(method).Select(text => $"{type.Name}.{method.Name}{text}"));

    private static IEnumerable<string> Cases(MethodInfo method) => method.GetCustomAttributes<DataAttribute>()
        .SelectMany(source => source.GetData(method) ?? [])
        .SelectMany(arguments => (arguments ?? [null]).SelectMany(Texts))
        .Prepend("");

    private static IEnumerable<string> Texts(object? argument)
    {
        var text = argument?.ToString() ?? "null";
        return [$"_{text}", $"_{Path.GetFileNameWithoutExtension(text)}"];
    }
}

/// <summary>In every test project.</summary>
public sealed class LeftOverSnapshotsTests
{
    [Fact]
    public void Accepted_files_all_have_their_test()
    {
        var assembly = typeof(LeftOverSnapshotsTests).Assembly;
        var folder = assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "ProjectFolder").Value!;
        Assert.Empty(LeftOverSnapshots.Find(assembly, folder));
    }
}
