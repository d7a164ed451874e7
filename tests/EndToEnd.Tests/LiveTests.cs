using System.Net;
using System.Net.Sockets;
using System.Text;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;
using Xunit.Abstractions;

namespace NicHost.EndToEnd.Tests;

/// <summary>What changes under a running guest: options, the link, the endpoint. Seen from the guest's kernel.</summary>
[Trait("Category", "RealGuest")]
public abstract class LiveTests(LiveFixture fixture, ITestOutputHelper output)
{
    private const int Bulk = 60 << 20;
    private static readonly string s_source = $"http://{NetnsLab.ServerAddress}:{LabServices.HttpPort}/random";

    private Guest Guest => fixture.Guest;

    [RealGuestFact]
    public void Vmm_that_starts_while_the_link_is_down_starts_and_its_guest_sees_it_down_and_then_up() => Assert.Equal("0down, 1up", fixture.Start);

    [RealGuestFact]
    public async Task Forward_comes_and_goes_while_a_download_goes_on()
    {
        await StartDownloadAsync();
        await MustAsync("nettool serve-tcp 23 1 > /run/serve 2>&1 & for i in $(seq 100); do grep -qs listening /run/serve && exit 0; sleep 0.1; done; cat /run/serve; exit 1");
        var port = new IPEndPoint(NetnsLab.HostAddress, 2323);
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => AskAsync(port))).SocketErrorCode);
        Apply(new NicWiring { MoreForwards = ["tcp:10.99.0.2:2323-23"] });
        Assert.Matches($"^you are ::ffff:{NetnsLab.ServerAddress} \\d+ and said hello\n$", await AskAsync(port));
        Apply(new NicWiring());
        Assert.Equal(SocketError.ConnectionRefused, (await Assert.ThrowsAsync<SocketException>(() => AskAsync(port))).SocketErrorCode);
        await FinishDownloadAsync();
    }

    [RealGuestFact]
    public async Task Record_that_is_added_is_answered()
    {
        const string ask = "getent ahostsv4 added.test | head -1 | cut -d' ' -f1";
        Assert.Equal("", await MustAsync(ask));
        Apply(new NicWiring { Record = ("added.test", "10.0.2.77") });
        Assert.Equal("10.0.2.77", await MustAsync(ask));
        Apply(new NicWiring());
        Assert.Equal("", await MustAsync(ask));
    }

    [RealGuestFact]
    public async Task Link_goes_down_and_up_and_a_download_goes_on_where_it_was()
    {
        await StartDownloadAsync();
        Apply(new NicWiring { IsLinkUp = false });
        await SeesLinkAsync(up: false);
        // It stays down, however often the VMM comes back meanwhile.
        await MustAsync("for i in $(seq 25); do [ $(cat /sys/class/net/eth0/carrier) = 0 ] || exit 1; sleep 0.1; done");
        Apply(new NicWiring());
        await SeesLinkAsync(up: true);
        await FinishDownloadAsync();
    }

    [RealGuestFact]
    public async Task Nic_moves_to_another_endpoint_and_back()
    {
        await MustAsync("ip monitor link > /run/links 2>&1 & echo $! > /run/monitor; sleep 0.3");
        Apply(new NicWiring { OtherEndpoint = "loopback" });
        await SawLinkGoAndComeAsync();
        // What is sent comes back: the guest's own ARP requests, and nobody's answer.
        await MustAsync("before=$(cat /sys/class/net/eth0/statistics/rx_packets); ping -c1 -W1 10.0.2.99; [ $(cat /sys/class/net/eth0/statistics/rx_packets) -gt $before ]");
        await MustAsync("! ping -c1 -W1 10.0.2.2 > /dev/null");
        await MustAsync("kill $(cat /run/monitor); ip monitor link > /run/links 2>&1 & echo $! > /run/monitor; sleep 0.3");
        Apply(new NicWiring());
        await SawLinkGoAndComeAsync();
        await MustAsync($"kill $(cat /run/monitor); net-up eth0 > /dev/null && ping -c1 -W3 10.0.2.2 > /dev/null && curl -sS -m 20 {s_source}/6/1000000 | sha256sum > /run/fetch");
        Assert.StartsWith(TestBytes.Sha256(6, 1_000_000), await MustAsync("cat /run/fetch"), StringComparison.Ordinal);
    }

    private void Apply(NicWiring wiring)
    {
        var begin = Environment.TickCount64;
        fixture.Host.Apply(wiring);
        output.WriteLine($"applied in {Environment.TickCount64 - begin} ms");
    }

    private async Task SeesLinkAsync(bool up) => Assert.Equal(up ? "1up" : "0down", await fixture.LinkAsync(up ? "1up" : "0down"));

    /// <summary>The kernel has told of a lost carrier, and has one now.</summary>
    private async Task SawLinkGoAndComeAsync()
    {
        await MustAsync("for i in $(seq 50); do grep -q 'eth0.*NO-CARRIER' /run/links && exit 0; sleep 0.1; done; cat /run/links; ip link; exit 1");
        await SeesLinkAsync(up: true);
    }

    /// <summary>Starts a download that goes on slowly, and for as long as the test likes.</summary>
    private async Task StartDownloadAsync() => await MustAsync(
        $$"""
        rm -f /run/finish /run/progress
        curl -sS -m 120 {{s_source}}/5/{{Bulk}} 2>/run/fetch.err |
          { while [ ! -e /run/finish ]; do dd bs=16k count=1 iflag=fullblock 2>/dev/null; echo >> /run/progress; sleep 0.02; done; cat; } | sha256sum > /run/fetch &
        for i in $(seq 100); do [ -s /run/progress ] && exit 0; sleep 0.1; done; cat /run/fetch.err; exit 1
        """);

    /// <summary>Lets it end, and wants each byte of it.</summary>
    private async Task FinishDownloadAsync()
    {
        await MustAsync("[ -s /run/fetch ] && exit 1; touch /run/finish; for i in $(seq 600); do [ -s /run/fetch ] && exit 0; sleep 0.1; done; cat /run/fetch.err; ss -tnoi; exit 1", 70);
        Assert.StartsWith(TestBytes.Sha256(5, Bulk), await MustAsync("cat /run/fetch"), StringComparison.Ordinal);
    }

    /// <summary>A client on the lab's server connects to a forwarded port, says hello and hears what the guest says.</summary>
    private async Task<string> AskAsync(IPEndPoint port)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var client = fixture.Lab.Server.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        await client.ConnectAsync(port, limit.Token);
        await client.SendAsync("hello\n"u8.ToArray(), limit.Token);
        var text = new StringBuilder();
        var buffer = new byte[500];
        while (!text.ToString().EndsWith('\n'))
            text.Append(Encoding.ASCII.GetString(buffer, 0, await client.ReceiveAsync(buffer, limit.Token)));
        return text.ToString();
    }

    private async Task<string> MustAsync(string script, int seconds = 30)
    {
        var result = await Guest.RunAsync(script, seconds);
        return result.Status == 0 ? result.Output : throw new GuestException(
            $"in the guest, status {result.Status}:\n  {script}\nprinted:\n{result.Output}\n--- host\n{fixture.Host.Log}\n{fixture.Host.Inspect()}\n{Guest.Diagnosis()}");
    }
}

public sealed class QemuLiveTests(QemuLive fixture, ITestOutputHelper output) : LiveTests(fixture, output), IClassFixture<QemuLive>;

public sealed class UmlLiveTests(UmlLive fixture, ITestOutputHelper output) : LiveTests(fixture, output), IClassFixture<UmlLive>;

public sealed class HyperVLiveTests(HyperVLive fixture, ITestOutputHelper output) : LiveTests(fixture, output), IClassFixture<HyperVLive>;
