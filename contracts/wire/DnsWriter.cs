using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>
/// Writes a DNS message section by section. What does not fit is left out and <see cref="Overflowed"/> is set; the message stays well formed.
/// </summary>
public ref struct DnsWriter
{
    private const int RecordHeaderLength = 10;

    private readonly Span<byte> _to;
    private int _length;

    /// <summary>Starts a message.</summary>
    /// <param name="to">Room for it: at least <see cref="DnsView.HeaderLength"/>; its length is the limit (512, or what EDNS allows).</param>
    /// <param name="id">The id.</param>
    /// <param name="flags">Flags.</param>
    /// <param name="code">Response code.</param>
    /// <param name="opcode">0 for a query.</param>
    public DnsWriter(Span<byte> to, ushort id, DnsFlags flags, DnsResponseCode code = DnsResponseCode.NoError, int opcode = 0)
    {
        _to = to;
        _length = DnsView.HeaderLength;
        to[.._length].Clear();
        BinaryPrimitives.WriteUInt16BigEndian(to, id);
        BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)((ushort)flags | (opcode & 0xF) << 11 | (int)code & 0xF));
    }

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    /// <summary>Whether something did not fit: set TC then (<see cref="SetTruncated"/>).</summary>
    public bool Overflowed { get; private set; }

    /// <summary>Adds a question.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="type">A <see cref="DnsType"/>.</param>
    /// <param name="class">Mostly <see cref="DnsType.ClassInternet"/>.</param>
    public void Question(scoped ReadOnlySpan<byte> name, ushort type, ushort @class = DnsType.ClassInternet)
    {
        if (!Fits(name.Length + 4)) return;
        name.CopyTo(_to[_length..]);
        _length += name.Length;
        BinaryPrimitives.WriteUInt16BigEndian(_to[_length..], type);
        BinaryPrimitives.WriteUInt16BigEndian(_to[(_length + 2)..], @class);
        _length += 4;
        Count(4);
    }

    /// <summary>Adds an answer whose name is that of the first question (a pointer to it).</summary>
    /// <param name="type">A <see cref="DnsType"/>.</param>
    /// <param name="ttl">Seconds.</param>
    /// <param name="data">The record's data.</param>
    public void AnswerToQuestion(ushort type, uint ttl, scoped ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<byte> pointer = [0xC0, DnsView.HeaderLength]; // RFC 1035 section 4.1.4
        Answer(pointer, type, ttl, data);
    }

    /// <summary>Adds an answer.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="type">A <see cref="DnsType"/>.</param>
    /// <param name="ttl">Seconds.</param>
    /// <param name="data">The record's data.</param>
    public void Answer(scoped ReadOnlySpan<byte> name, ushort type, uint ttl, scoped ReadOnlySpan<byte> data) =>
        Record(6, name, type, DnsType.ClassInternet, ttl, data);

    /// <summary>Adds an IPv4 address as answer.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="ttl">Seconds.</param>
    /// <param name="address">The address.</param>
    public void AnswerA(scoped ReadOnlySpan<byte> name, uint ttl, uint address)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(data, address);
        Answer(name, DnsType.A, ttl, data);
    }

    /// <summary>Adds an IPv6 address as answer.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="ttl">Seconds.</param>
    /// <param name="address">The address.</param>
    public void AnswerAaaa(scoped ReadOnlySpan<byte> name, uint ttl, UInt128 address)
    {
        Span<byte> data = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(data, address);
        Answer(name, DnsType.Aaaa, ttl, data);
    }

    /// <summary>Adds an authority record.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="type">A <see cref="DnsType"/>.</param>
    /// <param name="ttl">Seconds.</param>
    /// <param name="data">The record's data.</param>
    public void Authority(scoped ReadOnlySpan<byte> name, ushort type, uint ttl, scoped ReadOnlySpan<byte> data) =>
        Record(8, name, type, DnsType.ClassInternet, ttl, data);

    /// <summary>Adds an additional record.</summary>
    /// <param name="name">An uncompressed name.</param>
    /// <param name="type">A <see cref="DnsType"/>.</param>
    /// <param name="class">Mostly <see cref="DnsType.ClassInternet"/>; for EDNS the UDP size.</param>
    /// <param name="ttl">Seconds; for EDNS more flags.</param>
    /// <param name="data">The record's data.</param>
    public void Additional(scoped ReadOnlySpan<byte> name, ushort type, ushort @class, uint ttl, scoped ReadOnlySpan<byte> data) =>
        Record(10, name, type, @class, ttl, data);

    /// <summary>Sets TC.</summary>
    public readonly void SetTruncated() => _to[2] |= (byte)((ushort)DnsFlags.Truncated >> 8);

    private void Record(int countAt, scoped ReadOnlySpan<byte> name, ushort type, ushort @class, uint ttl, scoped ReadOnlySpan<byte> data)
    {
        if (data.Length > ushort.MaxValue || !Fits(name.Length + RecordHeaderLength + data.Length)) return;
        name.CopyTo(_to[_length..]);
        _length += name.Length;
        Span<byte> at = _to[_length..];
        BinaryPrimitives.WriteUInt16BigEndian(at, type);
        BinaryPrimitives.WriteUInt16BigEndian(at[2..], @class);
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], ttl);
        BinaryPrimitives.WriteUInt16BigEndian(at[8..], (ushort)data.Length);
        data.CopyTo(at[RecordHeaderLength..]);
        _length += RecordHeaderLength + data.Length;
        Count(countAt);
    }

    private bool Fits(int more)
    {
        if (more <= _to.Length - _length) return true;
        Overflowed = true;
        return false;
    }

    private readonly void Count(int at) =>
        BinaryPrimitives.WriteUInt16BigEndian(_to[at..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(_to[at..]) + 1));
}
