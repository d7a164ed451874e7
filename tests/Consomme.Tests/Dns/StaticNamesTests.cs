using NicHost.Testing;

namespace NicHost.Consomme.Tests.Dns;

public sealed class StaticNamesTests
{
    private const string Options = """
        {"dns":{"servers":["127.0.0.1:9"],"records":[
          {"name":"box.test","value":"192.0.2.10"},
          {"name":"box.test","value":"2001:db8::10","ttl":5},
          {"name":"www.test","value":"box.test"},
          {"name":"old.test","value":"www.test"},
          {"name":"loop.test","value":"loop.test"},
          {"name":"away.test","value":"elsewhere.example"},
          {"name":"7.2.0.192.in-addr.arpa","type":"PTR","value":"seven.test"}]}}
        """;

    [Theory]
    [InlineData("BOX.test", 1, "box.test A 60 192.0.2.10")]
    [InlineData("box.test", 28, "box.test AAAA 5 2001:db8::10")]
    [InlineData("old.test", 1, "old.test CNAME 60 www.test|www.test CNAME 60 box.test|box.test A 60 192.0.2.10")]
    [InlineData("www.test", 5, "www.test CNAME 60 box.test")]
    [InlineData("10.2.0.192.in-addr.arpa", 12, "10.2.0.192.in-addr.arpa PTR 60 box.test")]
    [InlineData("7.2.0.192.in-addr.arpa", 12, "7.2.0.192.in-addr.arpa PTR 60 seven.test")]
    [InlineData("0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", 12,
        "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR 5 box.test")]
    [InlineData("box.test", 16, "")]
    public void Name_is_answered_here(string name, ushort type, string records)
    {
        using var guest = new Guest(Options);
        var answer = guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, DnsText.Question(name, type))).Receive();
        Assert.True(TestFrames.HasGoodTransportChecksum(answer));
        var lines = DnsText.Show(Frames.UdpPayload(answer)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("id 1234 NoError", lines[0], StringComparison.Ordinal);
        Assert.Contains("Authoritative", lines[0], StringComparison.Ordinal);
        Assert.Equal(records, string.Join('|', lines.Skip(2).Select(l => l.Trim())));
        Assert.Equal(1, guest.Number("dns.answeredHere"));
    }

    [Fact]
    public void Alias_of_a_name_outside_is_followed_there()
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: [[192, 0, 2, 77], [192, 0, 2, 78]]));
        using var guest = new Guest(Options.Replace("127.0.0.1:9", server.Text, StringComparison.Ordinal));
        foreach (var edns in new[] { 0, 1400 })
        {
            var answer = guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, DnsText.Question("Away.test", 1, 77, edns))).Receive();
            var lines = DnsText.Show(Frames.UdpPayload(answer)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()).ToArray();
            Assert.Equal("id 004d NoError RecursionAvailable, RecursionDesired, Response", lines[0]);
            string[] expected = ["? away.test A", "away.test CNAME 60 elsewhere.example", "elsewhere.example A 60 192.0.2.77", "elsewhere.example A 60 192.0.2.78"];
            Assert.Equal(expected, lines.Skip(1).Take(4));
            Assert.Equal(edns > 0 ? 6 : 5, lines.Length);
        }
    }

    [Fact]
    public void Alias_of_itself_ends()
    {
        using var guest = new Guest(Options);
        var answer = guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, DnsText.Question("loop.test", 1))).Receive();
        Assert.InRange(answer.Length, 50, 512 + 42);
    }

    [Fact]
    public void Edns_is_answered_with_edns()
    {
        using var guest = new Guest(Options);
        var answer = guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, DnsText.Question("box.test", 1, edns: 4096))).Receive();
        Assert.Contains(". OPT", DnsText.Show(Frames.UdpPayload(answer)), StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_above_the_size_is_cut_with_the_truncated_flag()
    {
        var records = string.Join(',', Enumerable.Range(0, 60).Select(i => $$"""{"name":"many.test","value":"192.0.2.{{i}}"}"""));
        using var guest = new Guest($$$"""{"dns":{"records":[{{{records}}}]}}""");
        var answer = Frames.UdpPayload(guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, DnsText.Question("many.test", 1))).Receive());
        Assert.InRange(answer.Length, 400, 512);
        Assert.Contains("Truncated", DnsText.Show(answer), StringComparison.Ordinal);
    }
}
