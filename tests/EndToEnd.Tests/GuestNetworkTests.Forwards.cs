using System.Net;
using System.Net.Sockets;
using System.Text;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

public abstract partial class GuestNetworkTests
{
    [RealGuestFact]
    public async Task Forwarded_tcp_port_shows_the_guest_the_real_client() =>
        await ForwardAsync(SocketType.Stream, NetnsLab.HostAddress, NetnsLab.ServerAddress, 2222, "serve-tcp 22");

    [RealGuestFact]
    public async Task Forwarded_tcp_port_over_ipv6_shows_the_guest_the_real_client()
    {
        await Address6Async();
        await ForwardAsync(SocketType.Stream, NetnsLab.HostAddress6, NetnsLab.ServerAddress6, 2222, "serve-tcp 22");
    }

    [RealGuestFact]
    public async Task Forwarded_udp_port_answers_from_where_it_was_asked() =>
        await ForwardAsync(SocketType.Dgram, NetnsLab.HostAddress, NetnsLab.ServerAddress, 5353, "serve-udp 53");

    [RealGuestFact]
    public async Task Forwarded_udp_port_over_ipv6_answers_from_where_it_was_asked()
    {
        await Address6Async();
        await ForwardAsync(SocketType.Dgram, NetnsLab.HostAddress6, NetnsLab.ServerAddress6, 5353, "serve-udp 53");
    }

    [RealGuestFact]
    public async Task Forwarded_port_without_a_listener_is_refused()
    {
        using var client = Lab.Server.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        // The host accepts before it knows the guest's answer; then the refusal is a reset, which a read shows.
        var failure = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await client.ConnectAsync(NetnsLab.HostAddress, 2222, limit.Token);
            await client.ReceiveAsync(new byte[1], limit.Token);
        });
        Assert.True(failure.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset, failure.ToString());
    }

    /// <summary>Three clients at once from outside; each must hear its own address from the guest.</summary>
    private async Task ForwardAsync(SocketType type, IPAddress to, IPAddress from, int port, string serve)
    {
        const int clients = 3;
        await GuestMustAsync($"killall -q nettool; rm -f /run/serve; nettool {serve} {clients} > /run/serve 2>&1 & for i in $(seq 50); do grep -qs listening /run/serve && exit 0; sleep 0.1; done; cat /run/serve; exit 1");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var answers = await Task.WhenAll(Enumerable.Range(0, clients).Select(async i =>
        {
            // The connected socket takes answers from the forwarded address and port only.
            using var client = Lab.Server.Inside(() => new Socket(to.AddressFamily, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp));
            await client.ConnectAsync(new IPEndPoint(to, port), limit.Token);
            await client.SendAsync(Encoding.ASCII.GetBytes($"hello {i}\n"), limit.Token);
            var buffer = new byte[500];
            var text = new StringBuilder();
            do
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, await client.ReceiveAsync(buffer, limit.Token)));
            }
            while (!text.ToString().EndsWith('\n'));
            return (Local: (IPEndPoint)client.LocalEndPoint!, Said: $"hello {i}", Heard: text.ToString());
        }));
        Assert.All(answers, a =>
        {
            var seen = from.AddressFamily == AddressFamily.InterNetwork ? $"::ffff:{from}" : $"{from}";
            Assert.Equal($"you are {seen} {a.Local.Port} and said {a.Said}\n", a.Heard);
        });
    }
}
