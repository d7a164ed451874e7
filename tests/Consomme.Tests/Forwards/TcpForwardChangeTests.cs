using System.Globalization;
using System.Net;
using System.Net.Sockets;
using NicHost.Consomme.Tests.Tcp;

namespace NicHost.Consomme.Tests.Forwards;

public sealed class TcpForwardChangeTests
{
    private readonly int _a = ForwardClient.FreePort();
    private readonly int _b = ForwardClient.FreePort();

    [Fact]
    public void New_forward_listens_and_removed_one_does_not_while_its_connection_goes_on()
    {
        using var guest = new TcpGuest(Options($"tcp:127.0.0.1:{_a}-22"));
        using var old = ForwardClient.Connect(_a);
        var (oldPeer, _) = ForwardClient.Accept(guest);
        guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{_b}-80"));
        Assert.False(ForwardClient.Listens(_a));
        using var fresh = ForwardClient.Connect(_b);
        var (peer, syn) = ForwardClient.Accept(guest);
        Assert.Equal(80, syn.ToPort);
        ForwardClient.AssertPasses(guest, peer, fresh);
        ForwardClient.AssertPasses(guest, oldPeer, old);
    }

    [Fact]
    public void Unchanged_forward_keeps_its_very_listener_however_it_is_written()
    {
        var next = Following(_a);
        using var guest = new TcpGuest(Options($"tcp:127.0.0.1:{_a}..{next}-80..81"));
        var before = guest.Protocol.Listeners.Ports;
        guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{_b}-22", $"tcp:127.0.0.1:{next}-81", $"tcp:127.0.0.1:{_a}-10.0.2.15:80"));
        var after = guest.Protocol.Listeners.Ports;
        Assert.Equal(3, after.Count);
        Assert.Same(before[1], after[1]);
        Assert.Same(before[0], after[2]);
        Assert.Equal($"tcp:127.0.0.1:{next}-81", after[1].Forward.Text);
    }

    [Fact]
    public void Host_ports_swapped_in_one_change_lead_to_each_others_targets()
    {
        using var guest = new TcpGuest(Options($"tcp:127.0.0.1:{_a}-22", $"tcp:127.0.0.1:{_b}-80"));
        guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{_b}-22", $"tcp:127.0.0.1:{_a}-80"));
        Assert.Equal((80, 22), (TargetOf(guest, _a), TargetOf(guest, _b)));
    }

    [Fact]
    public void Port_moved_to_another_port_of_the_guest_takes_newcomers_there()
    {
        using var guest = new TcpGuest(Options($"tcp:127.0.0.1:{_a}-22"));
        using var old = ForwardClient.Connect(_a);
        var (peer, _) = ForwardClient.Accept(guest);
        guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{_a}-2222"));
        Assert.Equal(2222, TargetOf(guest, _a));
        ForwardClient.AssertPasses(guest, peer, old);
    }

    /// <summary>From all addresses to one and back: the sockets are in each other's way.</summary>
    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("[::]", "[::1]")]
    public void Forward_is_narrowed_to_one_address_and_widened_again(string all, string one)
    {
        var loopback = IPAddress.Parse(one.Trim('[', ']'));
        using var guest = new TcpGuest(Options($"tcp:{all}:{_a}-22"));
        foreach (var address in new[] { one, all, one })
        {
            guest.Guest.Reconfigure(Options($"tcp:{address}:{_a}-22"));
            Assert.Equal(22, TargetOf(guest, _a, loopback));
            if (loopback.AddressFamily == AddressFamily.InterNetwork)
                Assert.Equal(address == all, ForwardClient.Listens(_a, IPAddress.Parse("127.0.0.9")));
            guest.ReceiveAll();
        }
        // For everybody else the port is taken, as before.
        using var stranger = new Socket(loopback.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => stranger.Bind(new IPEndPoint(loopback, _a))).SocketErrorCode);
    }

    [Fact]
    public void Forward_of_any_port_keeps_the_port_that_it_got()
    {
        using var guest = new TcpGuest(Options("tcp:127.0.0.1:0-22", "tcp:127.0.0.1:0-80"));
        var before = guest.Protocol.Listeners.Ports;
        guest.Guest.Reconfigure(Options("tcp:127.0.0.1:0-80", $"tcp:127.0.0.1:{_a}-443"));
        Assert.Same(before[1], guest.Protocol.Listeners.Ports[0]);
        Assert.False(ForwardClient.Listens(before[0].Port));
        // Asked for by number it stays, too.
        guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{before[1].Port}-81"));
        Assert.Same(before[1], guest.Protocol.Listeners.Ports.Single());
        Assert.Equal(81, TargetOf(guest, before[1].Port));
    }

    [Fact]
    public void Connection_that_waits_at_a_forward_is_taken_before_this_one_closes()
    {
        using var guest = new TcpGuest(Options($"tcp:127.0.0.1:{_a}-22"));
        using var client = ForwardClient.Connect(_a);
        guest.Guest.Reconfigure("{}");
        var (peer, _) = ForwardClient.Accept(guest);
        ForwardClient.AssertPasses(guest, peer, client);
        Assert.False(ForwardClient.Listens(_a));
    }

    [Fact]
    public void Change_that_cannot_listen_names_the_forward_and_leaves_everything_as_it_was()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var text = $"tcp:127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}-443";
        using var guest = new TcpGuest($$"""{ "hostname": "one", "forwards": ["tcp:0.0.0.0:{{_a}}-22"] }""");
        var before = guest.Protocol.Listeners.Ports.Single();
        var error = Assert.Throws<IOException>(() => guest.Guest.Reconfigure(
            $$"""{ "hostname": "two", "hostLoopback": true, "forwards": ["tcp:127.0.0.1:{{_a}}-22", "udp:127.0.0.1:{{_b}}-53", "tcp:127.0.0.1:{{_b}}-80", "{{text}}"] }"""));
        Assert.Contains(text, error.Message, StringComparison.Ordinal);
        Assert.Contains("another host port", error.Message, StringComparison.Ordinal);
        Assert.Same(before, guest.Protocol.Listeners.Ports.Single());
        Assert.False(ForwardClient.Listens(_b));
        Assert.Equal(22, TargetOf(guest, _a));
        var options = guest.Guest.Inspect().Children.Single(c => c.Name == "options").Children;
        Assert.Equal("one", options.Single(c => c.Name == "hostname").Value);
        Assert.Equal(false, options.Single(c => c.Name == "hostLoopback").Value);
    }

    [Fact]
    public void Udp_forward_that_cannot_listen_takes_the_tcp_forwards_back_with_it()
    {
        using var taken = new HostSocket(true);
        using var guest = new TcpGuest("{}");
        Assert.Throws<IOException>(() => guest.Guest.Reconfigure(Options($"tcp:127.0.0.1:{_a}-22", $"udp:127.0.0.1:{taken.Port}-53")));
        Assert.False(ForwardClient.Listens(_a));
    }

    [Fact]
    public void Higher_limit_lets_in_who_waits_at_the_door()
    {
        string With(int limit) => $$"""{ "limits": { "halfOpen": {{limit}} }, "forwards": ["tcp:127.0.0.1:{{_a}}-22"] }""";
        using var guest = new TcpGuest(With(1));
        using var first = ForwardClient.Connect(_a);
        using var second = ForwardClient.Connect(_a);
        ForwardClient.Accept(guest, answer: false);
        guest.Guest.AssertSilent();
        guest.Guest.Reconfigure(With(8));
        Assert.Equal(22, ForwardClient.Accept(guest, answer: false).Syn.ToPort);
    }

    private static int TargetOf(TcpGuest guest, int port, IPAddress? address = null)
    {
        using var client = ForwardClient.Connect(port, address);
        return ForwardClient.Accept(guest, answer: false).Syn.ToPort;
    }

    private static string Options(params string[] forwards) => $$"""{ "forwards": [{{string.Join(", ", forwards.Select(f => $"\"{f}\""))}}] }""";

    private static string Following(int port) => (port + 1).ToString(CultureInfo.InvariantCulture);
}
