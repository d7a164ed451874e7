using System.Globalization;
using NicHost.Consomme.Core;
using NicHost.Consomme.Options;
using NicHost.Wire;

namespace NicHost.Consomme.Dns;

/// <summary>Names that are answered here, without asking anybody.</summary>
internal sealed class StaticNames
{
    private const int MaxChain = 8;
    private const ushort UdpSize = 1232;
    private readonly Dictionary<string, List<StaticRecord>> _records = new(StringComparer.Ordinal);

    public StaticNames(IReadOnlyList<StaticRecord> records)
    {
        foreach (var record in records) Add(record);
        foreach (var record in records.Where(r => r.Type is DnsRecordType.A or DnsRecordType.AAAA))
        {
            var reverse = Reverse(record.Address);
            if (!records.Any(r => r.Type == DnsRecordType.PTR && r.Name == reverse))
                Add(new StaticRecord(reverse, DnsRecordType.PTR, default, record.Name, record.Ttl));
        }
    }

    /// <summary>Answers a query of one question.</summary>
    /// <param name="reply">Room for the answer; its length is the transport's limit.</param>
    /// <param name="outside">An alias's target that somebody else has to be asked for: the answer then holds the aliases only.</param>
    /// <returns>Bytes of the answer; 0 when the name is none of ours.</returns>
    public int TryAnswer(in DnsView query, Span<byte> reply, bool isTcp, out string? outside)
    {
        outside = null;
        if (_records.Count == 0) return 0;
        var offset = DnsView.HeaderLength;
        if (!query.TryReadQuestion(ref offset, out var question) || question.Class is not (DnsType.ClassInternet or 255)) return 0;
        Span<byte> name = stackalloc byte[DnsName.MaxWireLength];
        var at = question.NameOffset;
        if (!DnsName.TryRead(query.Message, ref at, name, out var length)) return 0;
        name = name[..length];
        if (!_records.TryGetValue(DnsName.ToText(name), out var records)) return 0;

        var edns = query.EdnsUdpSize;
        var room = isTcp ? reply.Length : Math.Min(reply.Length, Math.Clamp(edns, DnsView.MaxUdpLength, UdpSize));
        var flags = DnsFlags.Response | DnsFlags.Authoritative | DnsFlags.RecursionAvailable | (query.Flags & DnsFlags.RecursionDesired);
        var writer = new DnsWriter(reply[..room], query.Id, flags);
        // The question as it was asked: clients compare its letters' case (a guard against forged answers).
        WriteQuestion(ref writer, query.Message[question.NameOffset..(offset - 4)], question);
        outside = Answer(ref writer, records, name, question.Type);
        if (writer.Overflowed) writer.SetTruncated();
        else if (edns > DnsView.MaxUdpLength) writer.Additional([0], DnsType.Opt, UdpSize, 0, []);
        return writer.Length;
    }

    private static void WriteQuestion(ref DnsWriter writer, ReadOnlySpan<byte> name, in DnsQuestion question) =>
        writer.Question(name, question.Type, question.Class);

    /// <returns>The name outside that the last alias leads to, or null.</returns>
    private string? Answer(ref DnsWriter writer, List<StaticRecord> records, scoped ReadOnlySpan<byte> name, ushort type)
    {
        Span<byte> owner = stackalloc byte[DnsName.MaxWireLength];
        Span<byte> data = stackalloc byte[DnsName.MaxWireLength];
        name.CopyTo(owner);
        var ownerLength = name.Length;
        for (var step = 0; step < MaxChain; step++)
        {
            StaticRecord? alias = null;
            var found = false;
            foreach (var record in records)
            {
                if (record.Type == DnsRecordType.CNAME) alias = record;
                if (type != DnsType.Any && WireType(record.Type) != type) continue;
                writer.Answer(owner[..ownerLength], WireType(record.Type), record.Ttl, data[..Data(record, data)]);
                found = true;
            }
            if (found || alias is null) return null;
            var length = Data(alias, data);
            writer.Answer(owner[..ownerLength], DnsType.Cname, alias.Ttl, data[..length]);
            data[..length].CopyTo(owner);
            ownerLength = length;
            if (!_records.TryGetValue(alias.Target!, out var next)) return alias.Target;
            records = next;
        }
        return null;
    }

    private static int Data(StaticRecord record, Span<byte> data)
    {
        if (record.Target is null) return record.Address.Write(data);
        DnsName.TryEncode(record.Target, data, out var written);
        return written;
    }

    private static ushort WireType(DnsRecordType type) => type switch
    {
        DnsRecordType.A => DnsType.A,
        DnsRecordType.AAAA => DnsType.Aaaa,
        DnsRecordType.CNAME => DnsType.Cname,
        _ => DnsType.Ptr,
    };

    private void Add(StaticRecord record)
    {
        if (_records.TryGetValue(record.Name, out var list)) list.Add(record);
        else _records.Add(record.Name, [record]);
    }

    /// <summary>The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5).</summary>
    private static string Reverse(IpAddr address)
    {
        Span<byte> bytes = stackalloc byte[16];
        var length = address.Write(bytes);
        var parts = new List<string>();
        for (var i = length - 1; i >= 0; i--)
        {
            if (length == 4)
            {
                parts.Add(bytes[i].ToString(CultureInfo.InvariantCulture));
            }
            else
            {
                parts.Add((bytes[i] & 15).ToString("x", CultureInfo.InvariantCulture));
                parts.Add((bytes[i] >> 4).ToString("x", CultureInfo.InvariantCulture));
            }
        }
        return string.Join('.', parts) + (length == 4 ? ".in-addr.arpa" : ".ip6.arpa");
    }
}
