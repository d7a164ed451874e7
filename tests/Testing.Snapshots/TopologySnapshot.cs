using System.Reflection;
using System.Runtime.CompilerServices;

namespace NicHost.Testing.Snapshots;

/// <summary>
/// Snapshot tests of a topology. What <c>nichost resolve</c> prints of it is compared with a file beside the test, in Verify's way: the accepted
/// text is <c>File.Method.verified.txt</c>, and a text that differs is written to <c>File.Method.received.txt</c>, which takes its place when it
/// is accepted.
/// </summary>
/// <remarks>For any test framework: a test fails by an exception, a <see cref="SnapshotException"/>.</remarks>
public static class TopologySnapshot
{
    /// <summary>Compares what a topology comes to with the accepted text.</summary>
    /// <param name="topology">A file or a folder, from the folder of the test's source file on.</param>
    /// <param name="options">Which host, with which plugins and variables; the defaults when null.</param>
    /// <param name="sourceFile">Filled in by the compiler.</param>
    /// <param name="method">Filled in by the compiler.</param>
    /// <exception cref="SnapshotException">It differs, has faults, or there is no host.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Task Verify(string topology, SnapshotOptions? options = null, [CallerFilePath] string sourceFile = "", [CallerMemberName] string method = "") =>
        VerifyAsync([topology], options ?? new(), SourceFile.Locate(sourceFile, Assembly.GetCallingAssembly()), method);

    /// <summary>The same of a topology that is several files and folders.</summary>
    /// <param name="topology">Files and folders, each from the folder of the test's source file on.</param>
    /// <param name="options">Which host, with which plugins and variables; the defaults when null.</param>
    /// <param name="sourceFile">Filled in by the compiler.</param>
    /// <param name="method">Filled in by the compiler.</param>
    /// <exception cref="SnapshotException">It differs, has faults, or there is no host.</exception>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static Task Verify(IReadOnlyList<string> topology, SnapshotOptions? options = null, [CallerFilePath] string sourceFile = "", [CallerMemberName] string method = "") =>
        VerifyAsync(topology, options ?? new(), SourceFile.Locate(sourceFile, Assembly.GetCallingAssembly()), method);

    /// <summary>What a topology comes to, for whoever compares it in another way.</summary>
    /// <param name="topology">Files and folders, relative to the current folder.</param>
    /// <param name="options">Which host, with which plugins and variables; the defaults when null.</param>
    /// <returns>The text of <c>nichost resolve</c>, with line feeds.</returns>
    /// <exception cref="SnapshotException">It has faults, or there is no host.</exception>
    public static Task<string> ResolveAsync(IReadOnlyList<string> topology, SnapshotOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(topology);
        return HostCommand.ResolveAsync(topology, options ?? new(), Environment.CurrentDirectory);
    }

    private static async Task VerifyAsync(IReadOnlyList<string> topology, SnapshotOptions options, string sourceFile, string method)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var text = await HostCommand.ResolveAsync(topology, options, Path.GetDirectoryName(sourceFile)!);
        await new SnapshotFile(sourceFile, options.Case is { } name ? $"{method}_{name}" : method).CompareAsync(text);
    }
}
