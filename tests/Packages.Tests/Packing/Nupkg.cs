using System.IO.Compression;
using System.Xml.Linq;

namespace NicHost.Packages.Tests.Packing;

/// <summary>A package, opened.</summary>
internal sealed class Nupkg(string path) : IDisposable
{
    private readonly ZipArchive _zip = ZipFile.OpenRead(path);

    /// <summary>Its files, without those that every package has.</summary>
    public IEnumerable<string> Files => _zip.Entries.Select(entry => entry.FullName).Where(IsContent).Order(StringComparer.Ordinal);

    public XElement Metadata => XDocument.Parse(Text(_zip.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal)).FullName)).Root!.Elements().Single();

    public IEnumerable<string> Dependencies =>
        Metadata.Descendants().Where(e => e.Name.LocalName == "dependency").Select(e => e.Attribute("id")!.Value).Order(StringComparer.Ordinal);

    public string Text(string file)
    {
        using var reader = new StreamReader(_zip.GetEntry(file)!.Open());
        return reader.ReadToEnd();
    }

    public byte[] Bytes(string file)
    {
        using var stream = _zip.GetEntry(file)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    public void Dispose() => _zip.Dispose();

    private static bool IsContent(string file) =>
        !file.StartsWith("_rels/", StringComparison.Ordinal) && !file.StartsWith("package/", StringComparison.Ordinal)
        && !file.EndsWith(".nuspec", StringComparison.Ordinal) && file != "[Content_Types].xml";
}
