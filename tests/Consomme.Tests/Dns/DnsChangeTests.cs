namespace NicHost.Consomme.Tests.Dns;

/// <summary>Servers and names that change while guests ask.</summary>
public sealed class DnsChangeTests
{
    [Fact]
    public void New_server_is_asked_next_and_the_old_one_still_answers_what_it_was_asked()
    {
        using var release = new ManualResetEventSlim();
        using var old = new FakeDnsServer(q =>
        {
            release.Wait(TimeSpan.FromSeconds(10));
            return FakeDnsServer.Reply(q, addresses: [192, 0, 2, 1]);
        });
        using var fresh = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: [192, 0, 2, 2]));
        using var guest = new Guest(Servers(old.Text));
        guest.Send(Ask("one.example.org", 1));
        guest.Reconfigure(Servers(fresh.Text));
        Assert.Contains("192.0.2.2", Text(guest.Send(Ask("two.example.org", 2)).Receive()), StringComparison.Ordinal);
        release.Set();
        Assert.Contains("192.0.2.1", Text(guest.Receive()), StringComparison.Ordinal);
        Assert.Equal((1, 1), (old.UdpQuestions, fresh.UdpQuestions));
    }

    [Fact]
    public void Server_that_stays_keeps_what_is_known_of_it()
    {
        using var alive = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: [192, 0, 2, 1]));
        using var other = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: [192, 0, 2, 2]));
        using var guest = new Guest(Servers(alive.Text));
        guest.Send(Ask("one.example.org", 1)).Receive();
        guest.Reconfigure(Servers($"{other.Text}\",\"{alive.Text}"));
        var servers = guest.Inspect().Children.Single(c => c.Name == "dns").Children.Single(c => c.Name == "servers").Children;
        Assert.Equal(["followsHost", other.Text, alive.Text], servers.Select(s => s.Name));
        Assert.Equal([0L, 1L], servers.Skip(1).Select(s => s.Children.Single(c => c.Name == "answered").Value));
        guest.Reconfigure("{}");
        Assert.Equal(true, guest.Inspect().Children.Single(c => c.Name == "dns").Children.Single(c => c.Name == "servers").Children[0].Value);
    }

    [Fact]
    public void Record_added_is_answered_here_and_one_removed_is_asked_for_again()
    {
        using var server = new FakeDnsServer(q => FakeDnsServer.Reply(q, addresses: [192, 0, 2, 1]));
        using var guest = new Guest(With("""{"name":"db.test","value":"10.9.9.9"}"""));
        Assert.Contains("10.9.9.9", Text(guest.Send(Ask("db.test", 1)).Receive()), StringComparison.Ordinal);
        guest.Reconfigure(With("""{"name":"db.test","value":"10.9.9.8"},{"name":"web.test","value":"10.9.9.7"}"""));
        Assert.Contains("10.9.9.8", Text(guest.Send(Ask("db.test", 2)).Receive()), StringComparison.Ordinal);
        Assert.Contains("10.9.9.7", Text(guest.Send(Ask("web.test", 3)).Receive()), StringComparison.Ordinal);
        Assert.Equal((2, 3), (guest.Number("dns.records"), guest.Number("dns.answeredHere")));
        guest.Reconfigure(With(""));
        Assert.Contains("192.0.2.1", Text(guest.Send(Ask("db.test", 4)).Receive()), StringComparison.Ordinal);

        string With(string records) => $$"""{"dns":{"servers":["{{server.Text}}"],"records":[{{records}}] } }""";
    }

    private static byte[] Ask(string name, ushort id) => Frames.Udp(Guest.Address, (ushort)(4000 + id), Guest.Dns, 53, DnsText.Question(name, 1, id));

    private static string Text(byte[] frame) => DnsText.Show(Frames.UdpPayload(frame));

    private static string Servers(string servers) => $$"""{"dns":{"servers":["{{servers}}"] } }""";
}
