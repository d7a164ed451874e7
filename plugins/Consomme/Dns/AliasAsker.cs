using NicHost.Wire;

namespace NicHost.Consomme.Dns;

/// <summary>
/// Asks for the name that an alias of the topology leads to, and answers with the alias and what was found: stub resolvers do not follow
/// an alias by themselves.
/// </summary>
internal sealed class AliasAsker(IDnsAsker asker, byte[] question, byte[] aliases) : IDnsAsker
{
    private const int UdpSize = 1232;

    public bool IsTcp => asker.IsTcp;

    /// <summary>The question for the alias's target.</summary>
    public static byte[] Question(in DnsView original, string target)
    {
        var message = new byte[DnsView.MaxUdpLength];
        Span<byte> name = stackalloc byte[DnsName.MaxWireLength];
        DnsName.TryEncode(target, name, out var length);
        var offset = DnsView.HeaderLength;
        original.TryReadQuestion(ref offset, out var asked);
        var writer = new DnsWriter(message, original.Id, original.Flags & (DnsFlags.RecursionDesired | DnsFlags.CheckingDisabled));
        writer.Question(name[..length], asked.Type, asked.Class);
        if (original.EdnsUdpSize > DnsView.MaxUdpLength) writer.Additional([0], DnsType.Opt, UdpSize, 0, []);
        return message[..writer.Length];
    }

    public void Answer(ReadOnlySpan<byte> message)
    {
        if (!DnsView.TryParse(message, out var found) || !DnsView.TryParse(question, out var asked) || !DnsView.TryParse(aliases, out var chain)) return;
        var edns = asked.EdnsUdpSize;
        var reply = new byte[IsTcp ? ushort.MaxValue : Math.Clamp(edns, DnsView.MaxUdpLength, UdpSize)];
        var writer = new DnsWriter(
            reply, asked.Id, (found.Flags & ~(DnsFlags.Authoritative | DnsFlags.AuthenticData)) | DnsFlags.Response, found.ResponseCode);
        var offset = DnsView.HeaderLength;
        asked.TryReadQuestion(ref offset, out var first);
        writer.Question(question.AsSpan(DnsView.HeaderLength..(offset - 4)), first.Type, first.Class);
        Append(ref writer, chain);
        Append(ref writer, found);
        if (writer.Overflowed) writer.SetTruncated();
        else if (edns > DnsView.MaxUdpLength) writer.Additional([0], DnsType.Opt, UdpSize, 0, []);
        asker.Answer(reply.AsSpan(0, writer.Length));
    }

    /// <summary>Copies answers; their names are written out, because what they point to is elsewhere in the new message.</summary>
    private static void Append(ref DnsWriter writer, in DnsView source)
    {
        Span<byte> owner = stackalloc byte[DnsName.MaxWireLength];
        Span<byte> target = stackalloc byte[DnsName.MaxWireLength];
        if (!source.TrySkipQuestions(out var offset)) return;
        for (var i = source.AnswerCount; i > 0 && source.TryReadRecord(ref offset, out var record); i--)
        {
            var at = record.NameOffset;
            if (!DnsName.TryRead(source.Message, ref at, owner, out var ownerLength)) return;
            switch (record.Type)
            {
                case DnsType.Cname or DnsType.Ptr or DnsType.Ns:
                    at = record.DataOffset;
                    if (!DnsName.TryRead(source.Message, ref at, target, out var targetLength)) return;
                    writer.Answer(owner[..ownerLength], record.Type, record.Ttl, target[..targetLength]);
                    break;
                // RFC 3597 4: names in the data of newer types are never compressed. Of the older ones, these have none.
                case DnsType.A or DnsType.Aaaa or DnsType.Txt or DnsType.Https or > 40:
                    writer.Answer(owner[..ownerLength], record.Type, record.Ttl, source.Message.Slice(record.DataOffset, record.DataLength));
                    break;
            }
        }
    }
}
