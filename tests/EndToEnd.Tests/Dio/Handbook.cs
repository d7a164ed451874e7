using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>The commands of docs/dio.md, so that they are run as a reader would.</summary>
internal static class Handbook
{
    private static readonly string s_text = File.ReadAllText(Repository.PathOf("docs/dio.md"));

    /// <summary>The block <c>```sh LABEL</c> of the chapter.</summary>
    public static string Commands(string chapter, string label)
    {
        var body = s_text.Split("\n## ").SingleOrDefault(part => part.StartsWith(chapter + "\n", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"docs/dio.md has no chapter \"{chapter}\"");
        var block = Regex.Match(body, $"\n```sh {Regex.Escape(label)}\n(.*?)\n```", RegexOptions.Singleline);
        return block.Success ? block.Groups[1].Value : throw new InvalidOperationException($"\"{chapter}\" of docs/dio.md has no block \"sh {label}\"");
    }
}
