using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>A .NET assembly as its metadata has it; nothing is loaded.</summary>
internal sealed class AssemblyFile
{
    private AssemblyFile(string file, AssemblyIdentity name) => (File, Identity) = (file, name);

    /// <summary>Name of the file.</summary>
    public string File { get; }

    public AssemblyIdentity Identity { get; }

    public string Name => Identity.Name;

    public Guid Mvid { get; private init; }

    public IReadOnlyList<AssemblyIdentity> References { get; private init; } = [];

    /// <summary>For example <c>.NETCoreApp,Version=v10.0</c>.</summary>
    public string? Framework { get; private init; }

    /// <summary>For example <c>Windows7.0</c>; null when it is for all.</summary>
    public string? Platform { get; private init; }

    /// <summary>What is wrong with the machine that it is built for; null when it runs here.</summary>
    public string? Misfit { get; private init; }

    public IReadOnlyList<KindExport> Kinds { get; private init; } = [];

    /// <summary>Types that are exported for the other MEF.</summary>
    public IReadOnlyList<string> Strangers { get; private init; } = [];

    /// <summary>Reads a file.</summary>
    /// <param name="path">Of a file that ends in <c>.dll</c>.</param>
    /// <param name="exports">Whether its kinds matter.</param>
    /// <param name="damage">Why it cannot be read.</param>
    /// <returns>Null when it is damaged, or no .NET assembly; in the second case there is no damage.</returns>
    public static AssemblyFile? Read(string path, bool exports, out string? damage)
    {
        damage = null;
        var file = Path.GetFileName(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        if (!StartsAsExecutable(stream)) return null;
        try
        {
            using var pe = new PEReader(stream);
            var needed = pe.PEHeaders.SectionHeaders.Select(s => (long)s.PointerToRawData + s.SizeOfRawData).DefaultIfEmpty(0).Max();
            if (needed > stream.Length)
            {
                damage = $"{file} is cut off: it has {stream.Length} of at least {needed} bytes.";
                return null;
            }
            if (!pe.HasMetadata) return null;
            var reader = pe.GetMetadataReader();
            return reader.IsAssembly ? Read(file, pe.PEHeaders, reader, exports) : null;
        }
        catch (Exception e) when (e is BadImageFormatException or InvalidOperationException or OverflowException)
        {
            damage = $"{file} is cut off or damaged: {e.Message}";
            return null;
        }
    }

    private static AssemblyFile Read(string file, PEHeaders headers, MetadataReader reader, bool exports)
    {
        var (kinds, strangers) = exports ? KindExport.ReadAll(reader) : ([], []);
        var attributes = AttributeText.OfAssembly(reader);
        var own = reader.GetAssemblyDefinition();
        return new AssemblyFile(file, new AssemblyIdentity(reader.GetString(own.Name), own.Version))
        {
            Mvid = reader.GetGuid(reader.GetModuleDefinition().Mvid),
            References = [.. reader.AssemblyReferences.Select(reader.GetAssemblyReference).Select(other => new AssemblyIdentity(reader.GetString(other.Name), other.Version))],
            Framework = attributes.GetValueOrDefault("System.Runtime.Versioning.TargetFrameworkAttribute"),
            Platform = attributes.GetValueOrDefault("System.Runtime.Versioning.TargetPlatformAttribute"),
            Misfit = MachineType.Misfit(headers) is { } misfit ? $"{file} {misfit}" : null,
            Kinds = kinds,
            Strangers = strangers,
        };
    }

    private static bool StartsAsExecutable(FileStream stream)
    {
        Span<byte> magic = stackalloc byte[2];
        var read = stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        return read == magic.Length && magic.SequenceEqual("MZ"u8);
    }
}
