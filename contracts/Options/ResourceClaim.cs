namespace NicHost.Contracts.Options;

/// <summary>Something of the host that one NIC's options ask for and that no second NIC may have: a socket's path, a port.</summary>
/// <param name="Resource">
/// Names it, the same for every spelling: <c>socket /tmp/web.sock</c>, <c>tcp 127.0.0.1:2222</c>. Two equal texts are a conflict.
/// </param>
/// <param name="Path">The option that asks for it, as a JSON path inside the options object: <c>$.socket</c>.</param>
/// <param name="SharedInVm">Whether NICs of one VM may share it.</param>
public sealed record ResourceClaim(string Resource, string Path, bool SharedInVm = false)
{
    /// <summary>A claim of a file or socket: the same for every spelling of its path, also through folders that are symbolic links. Since 1.1.</summary>
    /// <param name="what">What it is, such as <c>socket</c>.</param>
    /// <param name="file">Its path as the options have it.</param>
    /// <param name="baseDirectory">The folder that relative paths start from.</param>
    /// <param name="path">The option that asks for it, as a JSON path inside the options object.</param>
    public static ResourceClaim OfPath(string what, string file, string baseDirectory, string path) =>
        new($"{what} {LinkedPath.Resolve(System.IO.Path.GetFullPath(file, baseDirectory))}", path);
}
