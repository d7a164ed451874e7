using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

public abstract partial class GuestNetworkTests
{
    private const int Bulk = 100 << 20;
    private const ulong BlobSeed = 99;

    [RealGuestFact]
    public async Task Fetch_of_100_MiB_has_the_right_hash() => await FetchAsync($"{NetnsLab.ServerAddress}", 1);

    [RealGuestFact]
    public async Task Fetch_of_100_MiB_over_ipv6_has_the_right_hash()
    {
        await Address6Async();
        await FetchAsync($"[{NetnsLab.ServerAddress6}]", 2);
    }

    [RealGuestFact]
    public async Task Sending_of_100_MiB_has_the_right_hash() => await SendAsync($"{NetnsLab.ServerAddress}", 12345);

    [RealGuestFact]
    public async Task Sending_of_100_MiB_over_ipv6_has_the_right_hash()
    {
        await Address6Async();
        await SendAsync($"{NetnsLab.ServerAddress6}", 54321);
    }

    [RealGuestFact]
    public async Task Udp_echo_returns_every_size() => await UdpEchoAsync($"{NetnsLab.ServerAddress}");

    [RealGuestFact]
    public async Task Udp_echo_over_ipv6_returns_every_size()
    {
        await Address6Async();
        await UdpEchoAsync($"{NetnsLab.ServerAddress6}");
    }

    /// <summary>100 MiB each way over each family at once, with datagrams, names and pings between them.</summary>
    [RealGuestFact]
    public async Task Everything_at_once_comes_through_unharmed()
    {
        await Address6Async();
        await BlobAsync();
        string[] fetch = [$"{NetnsLab.ServerAddress}", $"[{NetnsLab.ServerAddress6}]"];
        string[] send = [$"{NetnsLab.ServerAddress}", $"{NetnsLab.ServerAddress6}"];
        await GuestMustAsync(
            $$"""
            cd /run; rm -f storm.*
            curl -sS http://{{fetch[0]}}:{{LabServices.HttpPort}}/random/11/{{Bulk}} | sha256sum > storm.f4 &
            curl -sS http://{{fetch[1]}}:{{LabServices.HttpPort}}/random/12/{{Bulk}} | sha256sum > storm.f6 &
            nettool slice /tmp/blob 1000 | nc -N {{send[0]}} {{LabServices.SinkPort}} > storm.s4 &
            nettool slice /tmp/blob 2000 | nc -N {{send[1]}} {{LabServices.SinkPort}} > storm.s6 &
            bulk=$!
            nettool udp-echo {{send[0]}} {{LabServices.EchoPort}} 1 8000 13 3 > storm.u4 2>&1 &
            nettool udp-echo {{send[1]}} {{LabServices.EchoPort}} 1 8000 13 4 > storm.u6 2>&1 &
            ping -c8 -i0.5 -W10 {{NetnsLab.ServerAddress}} > storm.ping &
            for i in $(seq 10); do getent ahostsv4 one.lab.test; sleep 0.2; done > storm.dns &
            wait
            """, 300);
        var text = await GuestMustAsync("cd /run; for f in f4 f6 s4 s6 u4 u6; do echo $f $(cat storm.$f); done; grep -c STREAM storm.dns; grep transmitted storm.ping");
        Assert.Contains($"f4 {TestBytes.Sha256(11, Bulk)}", text, StringComparison.Ordinal);
        Assert.Contains($"f6 {TestBytes.Sha256(12, Bulk)}", text, StringComparison.Ordinal);
        Assert.Contains($"s4 {TestBytes.Sha256(BlobSeed, Bulk, 1000)}", text, StringComparison.Ordinal);
        Assert.Contains($"s6 {TestBytes.Sha256(BlobSeed, Bulk, 2000)}", text, StringComparison.Ordinal);
        Assert.Matches(@"u4 good=\d+ wrong=0", text);
        Assert.Matches(@"u6 good=\d+ wrong=0", text);
        Assert.Contains("\n10\n", text, StringComparison.Ordinal);
        Assert.Matches("8 packets transmitted, [78] received", text);
    }

    /// <summary>Many short connections, opened side by side: each gets the bytes that it asked for.</summary>
    [RealGuestFact]
    public async Task Many_short_flows_get_each_their_own_bytes()
    {
        var lines = (await GuestMustAsync(
            $$"""
            for i in $(seq 40); do (echo $i $(curl -sS -m 30 http://{{NetnsLab.ServerAddress}}:{{LabServices.HttpPort}}/random/$i/$((i * 5000)) | sha256sum)) & done
            wait
            """, 60)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(40, lines.Length);
        Assert.All(lines, line =>
        {
            var words = line.Split(' ');
            var i = int.Parse(words[0], null);
            Assert.Equal(TestBytes.Sha256((ulong)i, i * 5000), words[1]);
        });
    }

    private async Task FetchAsync(string server, ulong seed)
    {
        var expected = TestBytes.Sha256(seed, Bulk);
        var got = await GuestMustAsync($"curl -sS -m 100 http://{server}:{LabServices.HttpPort}/random/{seed}/{Bulk} | sha256sum", 110);
        Assert.StartsWith(expected, got, StringComparison.Ordinal);
    }

    private async Task SendAsync(string server, int offset)
    {
        await BlobAsync();
        var got = await GuestMustAsync($"nettool slice /tmp/blob {offset} | nc -N {server} {LabServices.SinkPort}", 110);
        Assert.Equal(TestBytes.Sha256(BlobSeed, Bulk, offset), got);
    }

    /// <summary>The file that the guest sends; its content is checked by what arrives.</summary>
    private async Task BlobAsync() => await GuestMustAsync(
        $"[ -s /tmp/blob ] || curl -sS -m 100 -o /tmp/blob http://{NetnsLab.ServerAddress}:{LabServices.HttpPort}/random/{BlobSeed}/{Bulk}", 110);

    /// <summary>Two flows: one with the small sizes one by one, one up to 8000 in steps that meet both parities.</summary>
    private async Task UdpEchoAsync(string server) => await GuestMustAsync(
        $$"""
        nettool udp-echo {{server}} {{LabServices.EchoPort}} 1 1600 1 1 > /run/udp.1 2>&1 & one=$!
        nettool udp-echo {{server}} {{LabServices.EchoPort}} 1 8000 7 2 > /run/udp.2 2>&1 & two=$!
        bad=0; wait $one || bad=1; wait $two || bad=1
        cat /run/udp.1 /run/udp.2; exit $bad
        """, 120);
}
