using System.Runtime.InteropServices;
using NicHost.Linux;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Whether native libraries are whole, and for this machine, system and C library.</summary>
internal static class NativeCheck
{
    private const string Windows = "Windows", Apple = "macOS";

    public static IEnumerable<string> Run(PluginFiles files)
    {
        foreach (var (library, rids) in files.Dependencies?.Foreign ?? [])
            yield return $"{library} has native libraries for {string.Join(", ", rids)}, none for {RuntimeIds.Here}. Take a plugin that is built for this machine.";
        foreach (var path in files.Natives.Where(path => !IsForElsewhere(path, files.Natives)))
        {
            if (Fault(path) is { } fault) yield return $"{Path.GetRelativePath(files.Folder, path)} {fault}";
        }
    }

    private static string? Fault(string path)
    {
        if (ElfFile.Read(path) is not { } library) return $"is {What(path)}, this host runs on Linux. Put the build for {RuntimeIds.Here} there.";
        if (library.IsCutOff) return $"is cut off: it has {library.Length} of at least {library.LengthByHeaders} bytes. {PluginPreflight.CopyAgain}";
        var remedy = $"Take the build for {RuntimeIds.Here}.";
        if (library.OperatingSystem is not (0 or 3)) return $"is built for another system than Linux (ELF OSABI {library.OperatingSystem}). {remedy}";
        var built = library.IsUsualForm ? Machine(library.Machine) : "a 32-bit or big-endian machine";
        var here = MachineType.Name(RuntimeInformation.ProcessArchitecture);
        if (built != here) return $"is built for {built}, this host runs on {here}. {remedy}";
        var musl = library.Needed.Any(name => name.StartsWith("libc.musl", StringComparison.Ordinal) || name.StartsWith("ld-musl", StringComparison.Ordinal));
        var glibc = library.Needed.Contains("libc.so.6");
        if (RuntimeIds.IsMusl ? glibc && !musl : musl && !glibc)
            return $"needs {(musl ? "musl" : "glibc")}, this host runs on {(musl ? "glibc" : "musl")}. {remedy}";
        return library.Glibc is { } wanted && ThisProcess.GlibcVersion is { } has && wanted > has
            ? $"needs glibc {wanted}, this machine has {has}. Take one that is built on an older system." : null;
    }

    // What a plugin brings for Windows beside what it brings for Linux is nobody's fault.
    private static bool IsForElsewhere(string path, IEnumerable<string> all)
    {
        if (!path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)) return false;
        var name = Path.GetFileNameWithoutExtension(path);
        return all.Select(Path.GetFileName).Any(other => other == $"lib{name}.so" || other == $"{name}.so");
    }

    private static string What(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> start = stackalloc byte[4];
        var read = start[..RandomAccess.Read(file, start, 0)];
        if (read.StartsWith("MZ"u8)) return $"a {Windows} library";
        if (read is [0xcf or 0xce, 0xfa, 0xed, 0xfe] or [0xca, 0xfe, 0xba, 0xbe]) return $"a {Apple} library";
        return "no library";
    }

    private static string Machine(ushort number) => number switch
    {
        62 => MachineType.Name(Architecture.X64),
        183 => MachineType.Name(Architecture.Arm64),
        3 => MachineType.Name(Architecture.X86),
        40 => MachineType.Name(Architecture.Arm),
        243 => MachineType.Name(Architecture.RiscV64),
        _ => $"machine {number}",
    };
}
