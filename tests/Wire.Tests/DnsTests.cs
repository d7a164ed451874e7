using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class DnsTests
{
    private static byte[] Name(string text)
    {
        byte[] bytes = new byte[DnsName.MaxWireLength];
        Assert.True(DnsName.TryEncode(text, bytes, out int length));
        return bytes[..length];
    }

    [Fact]
    public void Query_and_answer_read_back()
    {
        byte[] name = Name("www.Example.org");
        byte[] message = new byte[DnsView.MaxUdpLength];
        DnsWriter writer = new(message, 0x1234, DnsFlags.Response | DnsFlags.RecursionDesired | DnsFlags.RecursionAvailable);
        writer.Question(name, DnsType.A);
        writer.AnswerToQuestion(DnsType.Cname, 60, Name("web.example.org"));
        writer.AnswerA(Name("web.example.org"), 30, 0x0A000202);
        writer.AnswerAaaa(Name("web.example.org"), 30, 5);
        writer.Additional([0], DnsType.Opt, 1232, 0, []);
        Assert.False(writer.Overflowed);

        byte[] whole = message[..writer.Length];
        Assert.True(DnsView.TryParse(whole, out DnsView view));
        Assert.Equal((0x1234, true, 0, DnsResponseCode.NoError), (view.Id, view.IsResponse, view.Opcode, view.ResponseCode));
        Assert.Equal((1, 3, 0, 1), (view.QuestionCount, view.AnswerCount, view.AuthorityCount, view.AdditionalCount));
        Assert.Equal(1232, view.EdnsUdpSize);
        Assert.Equal(DnsFlags.Response | DnsFlags.RecursionDesired | DnsFlags.RecursionAvailable, view.Flags);
        int offset = DnsView.HeaderLength;
        Assert.True(view.TryReadQuestion(ref offset, out DnsQuestion question));
        Assert.Equal((DnsType.A, DnsType.ClassInternet), (question.Type, question.Class));
        Assert.Equal("www.example.org", NameAt(whole, question.NameOffset));
        Assert.True(view.TrySkipQuestions(out int records));
        Assert.Equal(offset, records);
        Assert.True(view.TryReadRecord(ref offset, out DnsRecord alias));
        Assert.Equal(("www.example.org", DnsType.Cname, 60u), (NameAt(whole, alias.NameOffset), alias.Type, alias.Ttl));
        Assert.Equal("web.example.org", NameAt(whole, alias.DataOffset));
        Assert.True(view.TryReadRecord(ref offset, out DnsRecord address));
        Assert.Equal([10, 0, 2, 2], whole.AsSpan(address.DataOffset, address.DataLength).ToArray());
        Assert.True(view.TryReadRecord(ref offset, out DnsRecord six));
        Assert.Equal((DnsType.Aaaa, 16), (six.Type, six.DataLength));
        Assert.True(view.TryReadRecord(ref offset, out DnsRecord opt));
        Assert.Equal((DnsType.Opt, 1232), (opt.Type, opt.Class));
        Assert.Equal(whole.Length, offset);
        Assert.False(view.TryReadRecord(ref offset, out _));
    }

    [Fact]
    public void Answer_that_does_not_fit_is_left_out_and_said_so()
    {
        byte[] message = new byte[60];
        DnsWriter writer = new(message, 1, DnsFlags.Response);
        writer.Question(Name("a.example"), DnsType.Txt);
        writer.AnswerToQuestion(DnsType.Txt, 1, new byte[40]);
        Assert.True(writer.Overflowed);
        writer.SetTruncated();
        Assert.True(DnsView.TryParse(message.AsSpan(0, writer.Length), out DnsView view));
        Assert.Equal((1, 0), (view.QuestionCount, view.AnswerCount));
        Assert.True((view.Flags & DnsFlags.Truncated) != 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("localhost")]
    [InlineData("a.b.c.d.e.example.org.")]
    [InlineData("_sip._tcp.example.org")]
    public void Name_goes_there_and_back(string text)
    {
        byte[] encoded = Name(text);
        string expected = text.TrimEnd('.');
        Assert.Equal(expected.Length == 0 ? "." : expected, NameAt(encoded, 0));
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("a..")]
    [InlineData("ü.example")]
    public void Name_that_is_none_is_refused(string text) => Assert.False(DnsName.TryEncode(text, new byte[300], out _));

    [Fact]
    public void Lengths_at_their_limits()
    {
        Assert.True(DnsName.TryEncode(new string('a', 63), new byte[300], out _));
        Assert.False(DnsName.TryEncode(new string('a', 64), new byte[300], out _));
        string longest = string.Join('.', Enumerable.Repeat(new string('a', 63), 3)) + "." + new string('b', 61);
        Assert.True(DnsName.TryEncode(longest, new byte[300], out int length));
        Assert.Equal(255, length);
        Assert.False(DnsName.TryEncode(longest + "b", new byte[300], out _));
        Assert.False(DnsName.TryEncode("abc", new byte[4], out _));
        Assert.True(DnsName.TryEncode("abc", new byte[5], out _));
        Assert.False(DnsName.TryEncode("", [], out _));
    }

    [Fact]
    public void Compressed_names_are_followed()
    {
        byte[] message = [3, (byte)'o', (byte)'r', (byte)'g', 0, 2, (byte)'e', (byte)'x', 0xC0, 0, 1, (byte)'W', 0xC0, 5, 99];
        int offset = 10;
        byte[] name = new byte[255];
        Assert.True(DnsName.TryRead(message, ref offset, name, out int length));
        Assert.Equal("w.ex.org", DnsName.ToText(name.AsSpan(0, length)));
        Assert.Equal(14, offset);
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0 }, 0)]                     // to itself
    [InlineData(new byte[] { 0xC0, 2, 0xC0, 0 }, 2)]            // to each other
    [InlineData(new byte[] { 0xC0, 2, 0 }, 0)]                  // forwards
    [InlineData(new byte[] { 1, 97, 0xC0, 0 }, 0)]              // a loop that grows
    [InlineData(new byte[] { 0xC0 }, 0)]                        // cut
    [InlineData(new byte[] { 5, 97 }, 0)]                       // cut
    [InlineData(new byte[] { 1, 97 }, 0)]                       // no end
    [InlineData(new byte[] { 0x40, 97, 0 }, 0)]                 // a reserved kind
    [InlineData(new byte[] { 0x80, 97, 0 }, 0)]                 // a reserved kind
    [InlineData(new byte[] { 0 }, 1)]                           // beyond
    [InlineData(new byte[] { 0 }, -1)]                          // before
    public void Name_that_loops_or_is_cut_is_refused(byte[] message, int start)
    {
        int offset = start;
        Assert.False(DnsName.TryRead(message, ref offset, new byte[255], out _));
        Assert.Equal(start, offset);
    }

    [Fact]
    public void Pointers_cannot_make_a_name_longer_than_names_are()
    {
        // Each label points to the one before: 200 labels of 2 bytes.
        List<byte> message = [1, 97, 0];
        int previous = 0;
        for (int i = 0; i < 200; i++)
        {
            int here = message.Count;
            message.AddRange([1, 98, (byte)(0xC0 | previous >> 8), (byte)previous]);
            previous = here;
        }

        int offset = previous;
        Assert.False(DnsName.TryRead(message.ToArray(), ref offset, new byte[1000], out _));
    }

    [Fact]
    public void Strange_bytes_in_labels_are_escaped()
    {
        byte[] name = [4, (byte)'a', (byte)'.', (byte)'\\', 7, 0];
        Assert.Equal("a\\.\\\\\\007", DnsName.ToText(name));
    }

    [Fact]
    public void Any_bytes_are_refused_or_readable() =>
        Gen.Select(Gen.Byte.Array[0, 200], Gen.Byte[0xC0, 0xC1], Gen.Int[12, 199]).Sample((bytes, pointer, at) =>
        {
            if (at < bytes.Length) bytes[at] = pointer;
            if (bytes.Length > 12) bytes.AsSpan(4, 8).Clear();
            if (bytes.Length > 12) bytes[5] = 3;
            Touch.All(bytes);
        });

    private static string NameAt(ReadOnlySpan<byte> message, int offset)
    {
        byte[] name = new byte[DnsName.MaxWireLength];
        Assert.True(DnsName.TryRead(message, ref offset, name, out int length));
        return DnsName.ToText(name.AsSpan(0, length));
    }
}
