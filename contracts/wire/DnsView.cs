using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>Flags in the second word of a DNS header (RFC 1035 section 4.1.1, RFC 4035 section 3).</summary>
[Flags]
public enum DnsFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>CD: the client checks signatures itself.</summary>
    CheckingDisabled = 0x0010,
    /// <summary>AD: the data is authentic.</summary>
    AuthenticData = 0x0020,
    /// <summary>RA: the server recurses.</summary>
    RecursionAvailable = 0x0080,
    /// <summary>RD: please recurse.</summary>
    RecursionDesired = 0x0100,
    /// <summary>TC: the answer did not fit; ask by TCP.</summary>
    Truncated = 0x0200,
    /// <summary>AA: from the authority.</summary>
    Authoritative = 0x0400,
    /// <summary>QR: a response.</summary>
    Response = 0x8000,
}

/// <summary>Response codes (RFC 1035 section 4.1.1).</summary>
public enum DnsResponseCode : byte
{
    /// <summary>No error.</summary>
    NoError = 0,
    /// <summary>The query is malformed.</summary>
    FormatError = 1,
    /// <summary>The server could not answer.</summary>
    ServerFailure = 2,
    /// <summary>There is no such name.</summary>
    NameError = 3,
    /// <summary>The server does not do this.</summary>
    NotImplemented = 4,
    /// <summary>The server will not do this.</summary>
    Refused = 5,
}

/// <summary>Types of records (IANA DNS parameters).</summary>
public static class DnsType
{
#pragma warning disable CS1591 // The names are the registry's.
    public const ushort A = 1;
    public const ushort Ns = 2;
    public const ushort Cname = 5;
    public const ushort Soa = 6;
    public const ushort Ptr = 12;
    public const ushort Mx = 15;
    public const ushort Txt = 16;
    public const ushort Aaaa = 28;
    public const ushort Srv = 33;
    public const ushort Opt = 41;
    public const ushort Https = 65;
    public const ushort Any = 255;
#pragma warning restore CS1591

    /// <summary>The class of all of them that matter: IN.</summary>
    public const ushort ClassInternet = 1;
}

/// <summary>A DNS message.</summary>
public readonly ref struct DnsView
{
    // RFC 1035 section 4.1.1
    private const int IdAt = 0;
    private const int FlagsAt = 2;
    private const int QuestionCountAt = 4;
    private const int AnswerCountAt = 6;
    private const int AuthorityCountAt = 8;
    private const int AdditionalCountAt = 10;

    /// <summary>Bytes of the header.</summary>
    public const int HeaderLength = 12;

    /// <summary>The largest message by UDP without EDNS (RFC 1035 section 4.2.1).</summary>
    public const int MaxUdpLength = 512;

    private readonly ReadOnlySpan<byte> _message;

    private DnsView(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Looks at a message. Only the header is checked; questions and records are as they are walked.</summary>
    /// <param name="message">The message; over TCP without the length before it.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header is cut.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out DnsView view)
    {
        view = default;
        if (message.Length < HeaderLength) return false;
        view = new DnsView(message);
        return true;
    }

    /// <summary>Ties answers to queries.</summary>
    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(_message[IdAt..]);

    /// <summary>Flags, opcode and response code as they stand there.</summary>
    public ushort RawFlags => BinaryPrimitives.ReadUInt16BigEndian(_message[FlagsAt..]);

    /// <summary>Flags.</summary>
    public DnsFlags Flags => (DnsFlags)(RawFlags & 0x87B0);

    /// <summary>Whether this is an answer.</summary>
    public bool IsResponse => (Flags & DnsFlags.Response) != 0;

    /// <summary>0 for a query.</summary>
    public int Opcode => RawFlags >> 11 & 0xF;

    /// <summary>Response code (the low 4 bits; EDNS has more).</summary>
    public DnsResponseCode ResponseCode => (DnsResponseCode)(RawFlags & 0xF);

    /// <summary>Number of questions as said; nothing says that they are there.</summary>
    public int QuestionCount => BinaryPrimitives.ReadUInt16BigEndian(_message[QuestionCountAt..]);

    /// <summary>Number of answer records as said.</summary>
    public int AnswerCount => BinaryPrimitives.ReadUInt16BigEndian(_message[AnswerCountAt..]);

    /// <summary>Number of authority records as said.</summary>
    public int AuthorityCount => BinaryPrimitives.ReadUInt16BigEndian(_message[AuthorityCountAt..]);

    /// <summary>Number of additional records as said.</summary>
    public int AdditionalCount => BinaryPrimitives.ReadUInt16BigEndian(_message[AdditionalCountAt..]);

    /// <summary>The message.</summary>
    public ReadOnlySpan<byte> Message => _message;

    /// <summary>Reads one question.</summary>
    /// <param name="offset"><see cref="HeaderLength"/> for the first one; then where the next one starts.</param>
    /// <param name="question">The question.</param>
    /// <returns>False when it is cut or its name is malformed.</returns>
    public bool TryReadQuestion(ref int offset, out DnsQuestion question)
    {
        question = default;
        int at = offset;
        if (!DnsName.TrySkip(_message, ref at) || at + 4 > _message.Length) return false;
        question = new DnsQuestion(
            offset, BinaryPrimitives.ReadUInt16BigEndian(_message[at..]), BinaryPrimitives.ReadUInt16BigEndian(_message[(at + 2)..]));
        offset = at + 4;
        return true;
    }

    /// <summary>Reads one record of any section.</summary>
    /// <param name="offset">Where it starts; then where the next one starts.</param>
    /// <param name="record">The record.</param>
    /// <returns>False when it is cut or its name is malformed.</returns>
    public bool TryReadRecord(ref int offset, out DnsRecord record)
    {
        // RFC 1035 section 4.1.3: name, type, class, TTL, length, data
        record = default;
        int at = offset;
        if (!DnsName.TrySkip(_message, ref at) || at + 10 > _message.Length) return false;
        ReadOnlySpan<byte> header = _message[at..];
        int length = BinaryPrimitives.ReadUInt16BigEndian(header[8..]);
        if (at + 10 + length > _message.Length) return false;
        record = new DnsRecord(
            offset,
            BinaryPrimitives.ReadUInt16BigEndian(header),
            BinaryPrimitives.ReadUInt16BigEndian(header[2..]),
            BinaryPrimitives.ReadUInt32BigEndian(header[4..]),
            at + 10,
            length);
        offset = at + 10 + length;
        return true;
    }

    /// <summary>Finds where the records start: walks over all questions.</summary>
    /// <param name="offset">Where the first record starts.</param>
    /// <returns>False when a question is cut or malformed.</returns>
    public bool TrySkipQuestions(out int offset)
    {
        offset = HeaderLength;
        for (int i = QuestionCount; i > 0; i--)
        {
            if (!TryReadQuestion(ref offset, out _)) return false;
        }

        return true;
    }

    /// <summary>The UDP size that a query's EDNS record offers (RFC 6891 section 6.2.3), 512 without.</summary>
    public int EdnsUdpSize
    {
        get
        {
            if (!TrySkipQuestions(out int offset)) return MaxUdpLength;
            for (int i = AnswerCount + AuthorityCount + AdditionalCount; i > 0 && TryReadRecord(ref offset, out DnsRecord record); i--)
            {
                if (record.Type == DnsType.Opt) return Math.Max((int)record.Class, MaxUdpLength);
            }

            return MaxUdpLength;
        }
    }

    /// <summary>Changes the id of a message in place.</summary>
    /// <param name="message">At least a header.</param>
    /// <param name="id">The new id.</param>
    public static void SetId(Span<byte> message, ushort id) => BinaryPrimitives.WriteUInt16BigEndian(message[IdAt..], id);

    /// <summary>Changes flags, opcode and response code of a message in place.</summary>
    /// <param name="message">At least a header.</param>
    /// <param name="flags">The whole word.</param>
    public static void SetRawFlags(Span<byte> message, ushort flags) => BinaryPrimitives.WriteUInt16BigEndian(message[FlagsAt..], flags);
}

/// <summary>A question.</summary>
/// <param name="NameOffset">Where its name starts in the message; see <see cref="DnsName.TryRead"/>.</param>
/// <param name="Type">A <see cref="DnsType"/>.</param>
/// <param name="Class">Mostly <see cref="DnsType.ClassInternet"/>.</param>
public readonly record struct DnsQuestion(int NameOffset, ushort Type, ushort Class);

/// <summary>A record.</summary>
/// <param name="NameOffset">Where its name starts in the message; see <see cref="DnsName.TryRead"/>.</param>
/// <param name="Type">A <see cref="DnsType"/>.</param>
/// <param name="Class">Mostly <see cref="DnsType.ClassInternet"/>; for EDNS the UDP size.</param>
/// <param name="Ttl">Seconds.</param>
/// <param name="DataOffset">Where its data starts in the message (names in it may be compressed).</param>
/// <param name="DataLength">Bytes of data; they are in the message.</param>
public readonly record struct DnsRecord(int NameOffset, ushort Type, ushort Class, uint Ttl, int DataOffset, int DataLength);
