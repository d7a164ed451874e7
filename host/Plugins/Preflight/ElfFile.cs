namespace NicHost.Host.Plugins.Preflight;

/// <summary>A shared library by its ELF headers; see elf(5).</summary>
internal sealed record ElfFile
{
    /// <summary>Bytes that the file has.</summary>
    public required long Length { get; init; }

    /// <summary>Bytes that it must have by its headers.</summary>
    public required long LengthByHeaders { get; init; }

    /// <summary>Whether it is a 64-bit, little-endian one, as all machines are that NicHost runs on.</summary>
    public bool IsUsualForm { get; init; }

    /// <summary>EI_OSABI: 0 and 3 are Linux.</summary>
    public byte OperatingSystem { get; init; }

    /// <summary>e_machine.</summary>
    public ushort Machine { get; init; }

    /// <summary>Names of the libraries that it needs.</summary>
    public IReadOnlyList<string> Needed { get; init; } = [];

    /// <summary>The newest glibc whose symbols it wants; null when it wants none.</summary>
    public Version? Glibc { get; init; }

    public bool IsCutOff => Length < LengthByHeaders;

    /// <summary>Reads a file's headers.</summary>
    /// <returns>Null when it is no ELF file.</returns>
    public static ElfFile? Read(string path)
    {
        using var file = File.OpenHandle(path);
        return new ElfReader(file).Read();
    }
}
