using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace NicHost.Host.Plugins.Preflight;

/// <summary>Reads ELF headers. What they say is checked against the file's length before it is followed: the file may be half there, or anything.</summary>
internal sealed class ElfReader(SafeFileHandle file)
{
    private const int HeaderLength = 64;
    private const int ProgramHeaderLength = 56;
    private const int DynamicEntryLength = 16;
    private const uint Load = 1; // PT_LOAD
    private const uint Dynamic = 2; // PT_DYNAMIC
    private const ulong Needed = 1; // DT_NEEDED
    private const ulong StringTable = 5; // DT_STRTAB
    private const ulong StringTableLength = 10; // DT_STRSZ
    private const int LongestTable = 1 << 24;
    private const string GlibcPrefix = "GLIBC_";

    private readonly long _length = RandomAccess.GetLength(file);
    private readonly List<(ulong Address, ulong Offset, ulong Length)> _loads = [];
    private long _lengthByHeaders = HeaderLength;
    private byte[] _dynamic = [];

    public ElfFile? Read()
    {
        if (!Bytes(0, 4).AsSpan().SequenceEqual("\u007fELF"u8)) return null;
        var header = Bytes(0, HeaderLength);
        if (header.Length == 0) return new ElfFile { Length = _length, LengthByHeaders = HeaderLength };
        var usual = header[4] == 2 && header[5] == 1;
        if (usual) ReadHeaders(header);
        var strings = Strings();
        return new ElfFile
        {
            Length = _length,
            LengthByHeaders = _lengthByHeaders,
            IsUsualForm = usual,
            OperatingSystem = header[7],
            Machine = Word(header, 18),
            Needed = [.. DynamicValues(Needed).Select(at => Text(strings, at)).Where(text => text.Length > 0)],
            Glibc = NewestGlibc(strings),
        };
    }

    private void ReadHeaders(byte[] header)
    {
        var programs = (Offset: Long(header, 32), Count: Word(header, 56));
        Claim(programs.Offset, (ulong)programs.Count * ProgramHeaderLength);
        Claim(Long(header, 40), (ulong)Word(header, 58) * Word(header, 60)); // the section headers stand last
        var table = Bytes(programs.Offset, (ulong)programs.Count * ProgramHeaderLength);
        for (var at = 0; at < table.Length; at += ProgramHeaderLength)
        {
            var type = BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(at));
            var (offset, address, length) = (Long(table, at + 8), Long(table, at + 16), Long(table, at + 32));
            Claim(offset, length);
            if (type == Load) _loads.Add((address, offset, length));
            else if (type == Dynamic) _dynamic = Bytes(offset, length);
        }
    }

    private byte[] Strings()
    {
        var address = DynamicValues(StringTable).FirstOrDefault();
        var length = DynamicValues(StringTableLength).FirstOrDefault();
        var segment = _loads.FirstOrDefault(load => address >= load.Address && address - load.Address < load.Length);
        return Bytes(segment.Offset + (address - segment.Address), length);
    }

    private IEnumerable<ulong> DynamicValues(ulong tag)
    {
        for (var at = 0; at + DynamicEntryLength <= _dynamic.Length; at += DynamicEntryLength)
        {
            if (Long(_dynamic, at) == tag) yield return Long(_dynamic, at + 8);
        }
    }

    // A library's version needs name glibc's symbol versions in its string table, and nothing else there looks like them.
    private static Version? NewestGlibc(byte[] strings) => Encoding.Latin1.GetString(strings).Split('\0')
        .Where(text => text.StartsWith(GlibcPrefix, StringComparison.Ordinal))
        .Select(text => Version.TryParse(text.AsSpan(GlibcPrefix.Length), out var version) ? version : null)
        .Max();

    private void Claim(ulong offset, ulong length)
    {
        var end = offset > long.MaxValue || length > long.MaxValue - offset ? long.MaxValue : (long)(offset + length);
        if (length > 0) _lengthByHeaders = Math.Max(_lengthByHeaders, end);
    }

    /// <summary>Nothing when the file does not have them.</summary>
    private byte[] Bytes(ulong offset, ulong length)
    {
        if (length > LongestTable || offset > (ulong)_length || length > (ulong)_length - offset) return [];
        var bytes = new byte[length];
        for (var read = 0; read < bytes.Length;)
        {
            var count = RandomAccess.Read(file, bytes.AsSpan(read), (long)offset + read);
            if (count == 0) return [];
            read += count;
        }
        return bytes;
    }

    private static string Text(byte[] strings, ulong at)
    {
        if (at >= (ulong)strings.Length) return "";
        var rest = strings.AsSpan((int)at);
        var end = rest.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? rest : rest[..end]);
    }

    private static ushort Word(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static ulong Long(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}
