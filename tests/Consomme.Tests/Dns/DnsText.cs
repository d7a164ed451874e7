using System.Globalization;
using System.Net;
using System.Text;
using NicHost.Wire;

namespace NicHost.Consomme.Tests.Dns;

/// <summary>DNS messages for tests: made from text, and shown as text.</summary>
internal static class DnsText
{
    public static byte[] Question(string name, ushort type, ushort id = 0x1234, int edns = 0)
    {
        var message = new byte[512];
        var writer = new DnsWriter(message, id, DnsFlags.RecursionDesired);
        Span<byte> wire = stackalloc byte[256];
        Assert.True(DnsName.TryEncode(name, wire, out var length));
        writer.Question(wire[..length], type);
        if (edns > 0) writer.Additional([0], DnsType.Opt, (ushort)edns, 0, []);
        return message[..writer.Length];
    }

    public static string Show(ReadOnlySpan<byte> message)
    {
        Assert.True(DnsView.TryParse(message, out var view));
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"id {view.Id:x4} {view.ResponseCode} {view.Flags}");
        var offset = DnsView.HeaderLength;
        for (var i = 0; i < view.QuestionCount; i++)
        {
            Assert.True(view.TryReadQuestion(ref offset, out var question));
            text.AppendLine(CultureInfo.InvariantCulture, $"? {Name(message, question.NameOffset)} {Type(question.Type)}");
        }
        for (var i = 0; i < view.AnswerCount + view.AuthorityCount + view.AdditionalCount; i++)
        {
            Assert.True(view.TryReadRecord(ref offset, out var record));
            ReadOnlySpan<byte> data = message.Slice(record.DataOffset, record.DataLength);
            var value = record.Type switch
            {
                DnsType.A or DnsType.Aaaa => new IPAddress(data).ToString(),
                DnsType.Cname or DnsType.Ptr => Name(message, record.DataOffset),
                _ => Convert.ToHexString(data),
            };
            text.AppendLine(string.Create(CultureInfo.InvariantCulture, $"  {Name(message, record.NameOffset)} {Type(record.Type)} {record.Ttl} {value}").TrimEnd());
        }
        Assert.Equal(message.Length, offset);
        return text.ToString();
    }

    private static string Name(ReadOnlySpan<byte> message, int offset)
    {
        Span<byte> name = stackalloc byte[256];
        Assert.True(DnsName.TryRead(message, ref offset, name, out var length));
        return DnsName.ToText(name[..length]);
    }

    private static string Type(ushort type) => type switch
    {
        DnsType.A => "A",
        DnsType.Aaaa => "AAAA",
        DnsType.Cname => "CNAME",
        DnsType.Ptr => "PTR",
        DnsType.Opt => "OPT",
        _ => type.ToString(CultureInfo.InvariantCulture),
    };
}
