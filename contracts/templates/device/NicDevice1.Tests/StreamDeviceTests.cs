using System.Net.Sockets;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicDevice1.Tests;

/// <summary>What the socket's protocol adds to the contract.</summary>
public sealed class StreamDeviceTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-").FullName;
    private TestNic _nic = null!;
    private StreamDriver _guest = null!;

    public async Task InitializeAsync()
    {
        var socket = Path.Combine(_folder, "nic.sock");
        _nic = await TestNic.StartAsync(
            loop => new LoopbackEndpointFactory().Create(TestNic.EndpointContext(loop, """{ "kind": "loopback" }""")),
            loop => new StreamFactory().Create(TestNic.DeviceContext(loop, $$"""{ "kind": "nic-device-kind", "socket": "{{socket}}" }""")));
        _guest = new StreamDriver(socket);
        _guest.Attach(OffloadSet.None);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0x7f, 0xff, 0xff, 0xff })]
    public void Length_out_of_range_ends_the_connection_and_the_next_one_works(byte[] prefix)
    {
        _guest.Socket.Send(prefix);
        Assert.True(_guest.Socket.Poll(Patience, SelectMode.SelectRead));
        Assert.Equal(0, _guest.Socket.Receive(new byte[1]));
        _guest.Attach(OffloadSet.None);
        Assert.True(_guest.TrySend(0, TestFrames.Plain(100, 1)));
        Assert.Equal(TestFrames.Plain(100, 1), _guest.Receive(0, Patience)?.Bytes);
        Assert.Single(_nic.GuestFaults);
    }

    [Fact]
    public void Frame_beyond_the_mtu_or_too_short_is_dropped_and_the_next_one_passes()
    {
        _guest.TrySend(0, new byte[1600]);
        _guest.TrySend(0, new byte[10]);
        _guest.TrySend(0, TestFrames.Plain(1514, 3));
        Assert.Equal(TestFrames.Plain(1514, 3), _guest.Receive(0, Patience)?.Bytes);
        Assert.Equal(1, _nic.Counters(0).TxDropped(DropReason.TooLong));
        Assert.Equal(1, _nic.Counters(0).TxDropped(DropReason.Malformed));
    }

    [Fact]
    public void Guest_that_never_reads_holds_up_nobody_but_itself()
    {
        var sent = 0;
        _guest.Socket.SendTimeout = 300;
        try { while (sent < 1_000_000 && _guest.TrySend(0, TestFrames.Plain(1500, sent))) sent++; }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock || e.SocketErrorCode == SocketError.TimedOut) { }
        Assert.InRange(sent, 256, 999_999);
        _guest.Attach(OffloadSet.None);
        Assert.True(_guest.TrySend(0, TestFrames.Plain(100, 1)));
        Assert.Equal(TestFrames.Plain(100, 1), _guest.Receive(0, Patience)?.Bytes);
    }

    public async Task DisposeAsync()
    {
        _guest.Dispose();
        await _nic.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
