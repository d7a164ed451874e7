using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Host.Tests.Plugins.Preflight;

/// <summary>A shared library with just the headers that a preflight reads; see elf(5).</summary>
internal sealed record SyntheticLibrary
{
    public const ushort X64 = 62, Arm64 = 183;

    public static ushort Here => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Arm64 : X64;

    public static ushort Elsewhere => Here == X64 ? Arm64 : X64;

    public ushort Machine { get; init; } = Here;

    /// <summary>2: 64 bits.</summary>
    public byte Class { get; init; } = 2;

    public byte OperatingSystem { get; init; }

    public IReadOnlyList<string> Needed { get; init; } = ["libc.so.6"];

    /// <summary>Symbol versions.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    public byte[] Build()
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        long[] needed = [.. Needed.Select(Add)];
        foreach (var version in Versions) Add(version);

        const int Programs = 64, Dynamic = Programs + (2 * 56);
        var table = Dynamic + ((needed.Length + 3) * 16);
        var bytes = new byte[table + strings.Length];
        "\u007fELF"u8.CopyTo(bytes);
        (bytes[4], bytes[5], bytes[6], bytes[7]) = (Class, 1, 1, OperatingSystem);
        Word(bytes, 16, 3);
        Word(bytes, 18, Machine);
        Long(bytes, 32, Programs);
        Word(bytes, 54, 56);
        Word(bytes, 56, 2);
        Program(bytes, Programs, 1, 0, bytes.Length);
        Program(bytes, Programs + 56, 2, Dynamic, table - Dynamic);
        var at = Dynamic;
        foreach (var (tag, value) in needed.Select(n => (1L, n)).Concat([(5L, table), (10L, strings.Length), (0L, 0L)]))
        {
            Long(bytes, at, tag);
            Long(bytes, at + 8, value);
            at += 16;
        }
        strings.ToArray().CopyTo(bytes, table);
        return bytes;

        long Add(string text)
        {
            var start = strings.Length;
            strings.Write(Encoding.ASCII.GetBytes(text + "\0"));
            return start;
        }
    }

    // Loaded where it stands in the file.
    private static void Program(byte[] bytes, int at, uint type, long offset, long length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), type);
        foreach (var (field, value) in new[] { (8, offset), (16, offset), (24, offset), (32, length), (40, length) }) Long(bytes, at + field, value);
    }

    private static void Word(byte[] bytes, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), value);

    private static void Long(byte[] bytes, int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(at), value);
}
