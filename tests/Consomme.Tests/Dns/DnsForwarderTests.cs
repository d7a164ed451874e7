using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Diagnostics;
using NicHost.Consomme.Core;

namespace NicHost.Consomme.Tests.Dns;

public sealed class DnsForwarderTests
{
    private static readonly byte[] Address = [192, 0, 2, 7];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Question_is_passed_on_and_its_answer_comes_back_from_the_address_that_was_asked(bool v4)
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        using var guest = Make(server.Text);
        var answer = guest.Send(Ask(v4, "Example.ORG", 4000, 0xabcd)).Receive();
        Assert.Equal(v4 ? Guest.Dns : Guest.Dns6, v4 ? IpAddr.FromV4(answer.AsSpan(26)) : IpAddr.FromV6(answer.AsSpan(22)));
        Assert.Equal((53, 4000), (Frames.Word(answer, v4 ? 34 : 54), Frames.Word(answer, v4 ? 36 : 56)));
        Assert.Equal("id abcd NoError RecursionAvailable, RecursionDesired, Response\n? example.org A\n  example.org A 60 192.0.2.7\n", Text(answer));
        // The letters' case comes back as it was sent: a guard of the asker's own.
        Assert.Contains("Example", System.Text.Encoding.ASCII.GetString(answer), StringComparison.Ordinal);
    }

    [Fact]
    public void Gateway_answers_names_too_unless_it_leads_to_the_host()
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        using var guest = Make(server.Text);
        Assert.Equal(53, Frames.Word(guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Gateway, 53, DnsText.Question("a.b", 1))).Receive(), 34));
    }

    [Fact]
    public void Many_questions_fly_at_once_each_with_an_id_and_port_of_its_own()
    {
        var held = new List<byte[]>();
        var ids = new HashSet<int>();
        using var server = new FakeDnsServer(q =>
        {
            lock (held)
            {
                ids.Add((q[0] << 8) | q[1]);
                held.Add(q);
            }
            return FakeDnsServer.Reply(q, addresses: Address);
        });
        using var guest = Make(server.Text);
        guest.Send(Enumerable.Range(0, 60).Select(i => Ask(true, $"n{i}.example.org", (ushort)(4000 + i), 1)));
        guest.WaitUntil(() => guest.Device.Received.Count == 60, "60 answers");
        Assert.InRange(ids.Count, 55, 60);
        Assert.Equal(0, guest.Number("dns.inFlight"));
        Assert.All(guest.Device.Received, f => Assert.Equal(1, Frames.Word(f.Bytes, 42)));
    }

    [Fact]
    public void Dead_server_is_passed_over_and_not_asked_first_again()
    {
        using var dead = new FakeDnsServer(_ => null);
        using var alive = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        var time = new FakeTimeProvider();
        using var guest = Make($"{dead.Text}\",\"{alive.Text}", time: time);
        guest.Send(Ask(true, "one.example.org", 4000, 1));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains("192.0.2.7", Text(guest.Receive()), StringComparison.Ordinal);
        for (var i = 0; i < 5; i++)
        {
            guest.Send(Ask(true, "two.example.org", 4000, 2));
            Assert.Contains("192.0.2.7", Text(guest.Receive()), StringComparison.Ordinal);
        }
        guest.WaitUntil(() => dead.UdpQuestions > 0, "the dead server to have read its question");
        Assert.Equal(1, dead.UdpQuestions);
        Assert.Equal(6, alive.UdpQuestions);
    }

    [Fact]
    public void Port_where_no_server_listens_costs_no_waiting()
    {
        using var alive = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        int free;
        using (var probe = new HostSocket(true)) free = probe.Port;
        using var guest = Make($"127.0.0.1:{free}\",\"{alive.Text}");
        Assert.Contains("192.0.2.7", Text(guest.Send(Ask(true, "one.example.org", 4000, 1)).Receive()), StringComparison.Ordinal);
    }

    [Fact]
    public void Server_that_fails_makes_way_for_the_next_and_the_last_ones_word_is_passed_on()
    {
        using var failing = new FakeDnsServer(q => FakeDnsServer.Reply(q, code: 2));
        using var refusing = new FakeDnsServer(q => FakeDnsServer.Reply(q, code: 5));
        using var guest = Make($"{failing.Text}\",\"{refusing.Text}");
        Assert.Contains("Refused", Text(guest.Send(Ask(true, "one.example.org", 4000, 1)).Receive()), StringComparison.Ordinal);
        Assert.Equal((1, 1), (failing.UdpQuestions, refusing.UdpQuestions));
    }

    [Fact]
    public void Name_that_does_not_exist_is_a_good_answer()
    {
        using var first = new FakeDnsServer(q => FakeDnsServer.Reply(q, code: 3));
        using var second = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        using var guest = Make($"{first.Text}\",\"{second.Text}");
        Assert.Contains("NameError", Text(guest.Send(Ask(true, "none.example.org", 4000, 1)).Receive()), StringComparison.Ordinal);
        Assert.Equal(0, second.UdpQuestions);
    }

    [Fact]
    public void Nobody_answers_ends_in_server_failure()
    {
        using var dead = new FakeDnsServer(_ => null);
        var time = new FakeTimeProvider();
        using var guest = Make(dead.Text, time: time);
        guest.Send(Ask(true, "one.example.org", 4000, 7));
        for (var i = 0; i < 4; i++)
        {
            time.Advance(TimeSpan.FromSeconds(2));
            guest.Loop.RunUntilIdle();
        }
        Assert.Equal("id 0007 ServerFailure RecursionAvailable, RecursionDesired, Response\n? one.example.org A\n", Text(guest.Receive()));
        Assert.Equal(0, guest.Number("dns.inFlight"));
    }

    [Fact]
    public void Forged_answers_are_ignored()
    {
        using var server = new FakeDnsServer(q =>
        {
            var other = DnsText.Question("evil.example.org", 1, (ushort)((q[0] << 8) | q[1]));
            return FakeDnsServer.Reply(other, addresses: [6, 6, 6, 6]);
        });
        using var guest = Make(server.Text);
        guest.Send(Ask(true, "good.example.org", 4000, 1));
        guest.Loop.RunOnce(100);
        guest.AssertSilent();
        Assert.Equal(1, guest.Number("dns.inFlight"));
    }

    [Fact]
    public void Flood_of_questions_stays_within_the_limit_and_the_rest_is_told_so()
    {
        using var dead = new FakeDnsServer(_ => null);
        using var guest = Make(dead.Text, """, "limits":{"dnsQueries":16}""");
        for (ushort i = 0; i < 200; i++) guest.Send(Ask(true, $"n{i}.example.org", (ushort)(4000 + i), i));
        Assert.Equal(16, guest.Number("dns.inFlight"));
        Assert.Equal(184, guest.Device.Received.Count);
        Assert.All(guest.Device.Received, f => Assert.Equal(2, f.Bytes[45] & 15));
        Assert.Equal(184, guest.Counters.TxDropped(DropReason.DnsLimit));
    }

    [Fact]
    public void Truncated_answer_is_passed_through()
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, truncated: true));
        using var guest = Make(server.Text);
        Assert.Contains("Truncated", Text(guest.Send(Ask(true, "big.example.org", 4000, 1)).Receive()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_is_no_question_is_answered_as_such_or_dropped(int kind)
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: Address));
        using var guest = Make(server.Text);
        var question = DnsText.Question("a.example.org", 1);
        switch (kind)
        {
            case 0: question[2] |= 0x80; break; // a response
            case 1: question[2] |= 0x28; break; // opcode 5: update
            case 2: question[5] = 2; break; // two questions, one there
            case 3: question = question[..^3]; break; // cut
        }
        guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, question));
        if (kind == 0) guest.AssertSilent();
        else Assert.Equal(kind == 1 ? 4 : 1, guest.Receive()[45] & 15);
        Assert.Equal(0, server.UdpQuestions);
    }

    [Fact]
    public void Any_bytes_are_survived()
    {
        using var server = new FakeDnsServer(_ => null);
        using var guest = Make(server.Text, """, "limits":{"dnsQueries":4}""");
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.Next(0, 80)];
            random.NextBytes(bytes);
            if (bytes.Length > 6 && random.Next(2) == 0) (bytes[2], bytes[3], bytes[4], bytes[5]) = (1, 0, 0, 1);
            guest.Send(Frames.Udp(Guest.Address, 4000, Guest.Dns, 53, bytes));
        }
        Assert.True(guest.Number("dns.inFlight") <= 4, $"seed {seed}");
    }

    private static byte[] Ask(bool v4, string name, ushort port, ushort id) => v4
        ? Frames.Udp(Guest.Address, port, Guest.Dns, 53, DnsText.Question(name, 1, id))
        : Frames.Udp(Guest.Address6, port, Guest.Dns6, 53, DnsText.Question(name, 1, id));

    private static string Text(byte[] frame) => DnsText.Show(Frames.UdpPayload(frame)).Replace("\r", "", StringComparison.Ordinal);

    private static Guest Make(string servers, string more = "", FakeTimeProvider? time = null) => new(
        string.Create(CultureInfo.InvariantCulture, $$"""{"dns":{"servers":["{{servers}}"]}{{more}}}"""), time: time);
}
