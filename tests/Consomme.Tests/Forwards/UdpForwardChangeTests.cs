using System.Net;
using System.Net.Sockets;

namespace NicHost.Consomme.Tests.Forwards;

public sealed class UdpForwardChangeTests
{
    private readonly int _a = ForwardClient.FreePort();
    private readonly int _b = ForwardClient.FreePort();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Removed_forward_frees_its_port_at_once_and_its_clients_are_strangers(bool v4)
    {
        using var guest = new Guest(Options($"udp:{Host(v4)}:{_a}-53"));
        using var client = new HostSocket(v4);
        client.Send([1], new IPEndPoint(Loopback(v4), _a));
        guest.Receive();
        guest.Reconfigure(Options($"udp:{Host(v4)}:{_b}-53"));
        Assert.Equal(0, guest.Number("udp.flows"));
        using var next = new HostSocket(v4, (ushort)_a);
        client.Send([2], new IPEndPoint(Loopback(v4), _a));
        next.Receive([2]);
        client.Send([3], new IPEndPoint(Loopback(v4), _b));
        Assert.Equal([3], Frames.UdpPayload(guest.Receive()));
    }

    [Fact]
    public void Port_moved_to_another_port_of_the_guest_takes_new_clients_there_and_keeps_the_old_ones()
    {
        using var guest = new Guest(Options($"udp:127.0.0.1:{_a}-53"));
        using var old = new HostSocket(true);
        using var fresh = new HostSocket(true);
        Assert.Equal(53, TargetOf(guest, old, _a));
        guest.Reconfigure(Options($"udp:127.0.0.1:{_a}-54"));
        Assert.Equal(53, TargetOf(guest, old, _a));
        Assert.Equal(54, TargetOf(guest, fresh, _a));
        guest.Send(Frames.Udp(Guest.Address, 53, Guest.Gateway, old.Port, [7]));
        guest.Send(Frames.Udp(Guest.Address, 54, Guest.Gateway, fresh.Port, [8]));
        old.Receive([7]);
        fresh.Receive([8]);
    }

    [Theory]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("[::]", "[::1]")]
    public void Forward_is_narrowed_to_one_address_and_widened_again(string all, string one)
    {
        var loopback = IPAddress.Parse(one.Trim('[', ']'));
        var v4 = loopback.AddressFamily == AddressFamily.InterNetwork;
        using var guest = new Guest(Options($"udp:{all}:{_a}-53"));
        using var client = new HostSocket(v4);
        foreach (var address in new[] { one, all, one })
        {
            guest.Reconfigure(Options($"udp:{address}:{_a}-53"));
            Assert.Equal(53, TargetOf(guest, client, _a));
            Assert.Equal(1, guest.Number("udp.flows"));
        }
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => new HostSocket(v4, (ushort)_a)).SocketErrorCode);
    }

    [Fact]
    public void Ports_swapped_in_one_change_lead_to_each_others_targets()
    {
        using var guest = new Guest(Options($"udp:127.0.0.1:{_a}-53", $"udp:127.0.0.1:{_b}-54"));
        guest.Reconfigure(Options($"udp:127.0.0.1:{_a}-54", $"udp:127.0.0.1:{_b}-53"));
        using var client = new HostSocket(true);
        Assert.Equal((54, 53), (TargetOf(guest, client, _a), TargetOf(guest, client, _b)));
        var shown = guest.Inspect().Children.Single(c => c.Name == "udp").Children.Single(c => c.Name == "forwards").Children;
        Assert.Equal([$"udp:127.0.0.1:{_a}-54", $"udp:127.0.0.1:{_b}-53"], shown.Select(c => c.Value));
    }

    private static int TargetOf(Guest guest, HostSocket client, int port)
    {
        client.Send([9], new IPEndPoint(Loopback(client.Socket.AddressFamily == AddressFamily.InterNetwork), port));
        var frame = guest.Receive();
        return Frames.Word(frame, (frame[12] == 8 ? 34 : 54) + 2);
    }

    private static IPAddress Loopback(bool v4) => v4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;

    private static string Host(bool v4) => v4 ? "127.0.0.1" : "[::1]";

    private static string Options(params string[] forwards) => $$"""{ "forwards": [{{string.Join(", ", forwards.Select(f => $"\"{f}\""))}}] }""";
}
