using System.Reflection;

namespace NicHost.EndToEnd.Tests.Lab;

/// <summary>Where things lie in the source tree that this assembly was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Path.GetFullPath(
        typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!);

    public static string PathOf(string relative) => Path.Combine(Root, relative);
}
