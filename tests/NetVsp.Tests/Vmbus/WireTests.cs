using NicHost.Linux;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Frontend;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Vmbus;

/// <summary>Packets of the socket that no honest VMM sends: each ends the connection with its reason, and the next client is welcome.</summary>
public sealed class WireTests
{
    public static TheoryData<string, byte[], string> Bad() => new()
    {
        { "short", new byte[31], "shorter than its header" },
        { "length", Header(6, 100), "where the header says 100" },
        { "huge", [.. Header(6, 241), .. new byte[241]], "at most 240" },
        { "payload", [.. Header(13, 8), .. new byte[8]], "with a payload" },
        { "unknown", Header(99), "unknown kind 99" },
        { "no fd", Header(3), "without a descriptor" },
        { "twice", Header(1, 0, 1), "Hello twice" },
        { "monitor", Header(12, 0, 3), "monitor mode 3" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task Malformed_packet_ends_the_connection(string name, byte[] packet, string reason)
    {
        Assert.NotEmpty(name);
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using (var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2)))
        {
            bus.Socket.SendRaw(packet, []);
            Assert.Throws<VmbusException>(() => bus.Socket.Receive(TimeSpan.FromSeconds(2)));
        }
        Assert.NotNull(nic.WaitForFault(reason));
        using var next = Guest.Start(bench);
        next.AssertEcho();
    }

    [Fact]
    public async Task Descriptors_where_none_belong_end_the_connection_and_do_not_leak()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var event1 = new EventFd();
        Send([event1.Raw]);
        var before = OpenDescriptors.Count();
        for (var i = 0; i < 10; i++)
        {
            Send([event1.Raw]);
            Send([event1.Raw, event1.Raw, event1.Raw]);
        }
        Assert.True(SpinWait.SpinUntil(() => OpenDescriptors.Count() <= before + 1, 3000));
        Assert.NotNull(nic.WaitForFault("with a descriptor"));
        Assert.NotNull(nic.WaitForFault("more than one descriptor"));

        void Send(int[] fds)
        {
            using var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2));
            bus.Socket.SendRaw(Header(13), fds);
            Assert.Throws<VmbusException>(() => bus.Socket.Receive(TimeSpan.FromSeconds(2)));
        }
    }

    [Fact]
    public async Task Anything_before_Hello_ends_the_connection()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2), hello: false);
        bus.Socket.Send(WireKind.Reset);
        Assert.Throws<VmbusException>(() => bus.Socket.Receive(TimeSpan.FromSeconds(2)));
        Assert.NotNull(nic.WaitForFault("before Hello"));
    }

    [Fact]
    public async Task Newer_client_gets_the_version_that_both_speak()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2), hello: false);
        bus.Socket.Send(WireKind.Hello, 7);
        Assert.Equal((WireKind.HelloAck, 1ul), bus.Socket.Receive(TimeSpan.FromSeconds(2)) is { } ack ? (ack.Kind, ack.A) : default);
        // Kinds that may be ignored are.
        bus.Socket.Send((WireKind)0x8000_0001);
        Assert.True(bus.InitiateContact(VmbusClient.Newest));
    }

    [Fact]
    public async Task Unsealed_memory_is_refused_unless_the_option_allows_it()
    {
        await using var strict = new Bench();
        var nic = await strict.AddAsync();
        using var file = VirtualMemory.CreateMemoryFile("unsealed", 1 << 20);
        using (var bus = new VmbusClient(strict.Socket, TimeSpan.FromSeconds(2))) Assert.Equal((int)Errno.EPERM, bus.AddMemory(0, 1 << 20, 0, file.Raw));
        Assert.NotNull(nic.WaitForFault("F_SEAL_SHRINK"));

        await using var lax = new Bench();
        await lax.AddAsync(""","allowUnsealedMemory":true""");
        using var other = new VmbusClient(lax.Socket, TimeSpan.FromSeconds(2));
        Assert.Equal(0, other.AddMemory(0, 1 << 20, 0, file.Raw));
    }

    [Fact]
    public async Task Memory_is_refused_where_it_cannot_be()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var file = VirtualMemory.CreateMemoryFile("small", 1 << 20);
        VirtualMemory.AddSeals(file.Raw, FileSeals.Shrink).OrThrow("seal");
        using var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(2));
        Assert.Equal((int)Errno.ENXIO, bus.AddMemory(0, 2 << 20, 0, file.Raw));
        Assert.Equal((int)Errno.EINVAL, bus.AddMemory(100, 1 << 20, 0, file.Raw));
        Assert.Equal((int)Errno.EINVAL, bus.AddMemory(0, 0, 0, file.Raw));
        Assert.Equal(0, bus.AddMemory(0, 1 << 20, 0, file.Raw));
        Assert.Equal((int)Errno.EEXIST, bus.AddMemory(4096, 4096, 0, file.Raw));
        Assert.Equal((int)Errno.ENOENT, bus.DeleteMemory(4096, 4096));
        Assert.Equal(0, bus.DeleteMemory(0, 1 << 20));
        for (var i = 0ul; i < 64; i++) Assert.Equal(0, bus.AddMemory(i << 20, 4096, 0, file.Raw));
        Assert.Equal((int)Errno.ENOSPC, bus.AddMemory(64 << 20, 4096, 0, file.Raw));
    }

    [Fact]
    public async Task Memory_in_use_stays_until_the_buffers_are_gone()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var region = guest.Ram.Regions[0];
        Assert.Equal((int)Errno.EBUSY, guest.Bus.DeleteMemory(region.GuestAddress, region.Length));
        guest.AssertEcho();
        // What nothing lies in can go under a running card.
        var other = guest.Ram.Regions[1];
        Assert.Equal(0, guest.Bus.DeleteMemory(other.GuestAddress, other.Length));
        guest.AssertEcho();
        guest.Driver.Stop();
        Assert.Equal(0, guest.Bus.DeleteMemory(region.GuestAddress, region.Length));
    }

    [Fact]
    public async Task Memory_that_is_shrunk_ends_the_connection_and_not_the_host()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(""","allowUnsealedMemory":true""");
        using (var file = VirtualMemory.CreateMemoryFile("shrinking", 1 << 20))
        using (var bus = new VmbusClient(bench.Socket, TimeSpan.FromSeconds(3)))
        {
            Assert.Equal(0, bus.AddMemory(0, 1 << 20, 0, file.Raw));
            Assert.True(bus.InitiateContact(VmbusClient.Newest));
            bus.RequestOffers();
            var offer = bus.Offers[0];
            var gpadl = bus.CreateGpadl(offer.RelId, [0, 1, 2, 3, 4, 5, 6, 7]);
            Assert.Equal(0u, bus.OpenChannel(offer.RelId, gpadl, 4));
            VirtualMemory.Resize(file.Raw, 0).OrThrow("shrink");
            bus.Socket.Send(WireKind.SignalEvent, offer.ConnectionId);
            Assert.NotNull(nic.WaitForFault("memory was taken away"));
        }
        using var next = Guest.Start(bench);
        next.AssertEcho();
    }

    [Fact]
    public async Task Signals_by_message_carry_a_card()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { InBand = true });
        for (var i = 0; i < 20; i++) guest.AssertEcho(100 + i);
    }

    [Fact]
    public async Task Event_flags_in_guest_memory_are_set_before_the_signal()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Attach(bench);
        var (flags, address) = EventPage(guest.Ram);
        var channel = guest.Queue.Channel;
        guest.Bus.Socket.Send(WireKind.GuestFd, channel.Offer.RelId, 0, address, fd: channel.Call.Raw);
        var gpadl = guest.Bus.CreateGpadl(channel.Offer.RelId, channel.Frames);
        guest.Bus.Socket.Send(WireKind.EventFd, channel.Offer.ConnectionId, fd: channel.Kick.Raw);
        Assert.Equal(0u, guest.Bus.OpenChannel(channel.Offer.RelId, gpadl, (uint)channel.PagesEach));
        guest.Driver.NegotiateVersion();
        Assert.True(Flag(flags, channel.Offer.RelId));

        static unsafe (nint, ulong) EventPage(GuestRam ram)
        {
            var page = ram.Allocate(4096, 4096);
            return ((nint)page, ram.ToGuest(page));
        }

        static unsafe bool Flag(nint page, uint relId) => (((uint*)page)[relId / 32] & (1u << (int)(relId % 32))) != 0;
    }

    private static byte[] Header(uint kind, int length = 0, ulong a = 0)
    {
        var bytes = new byte[32];
        BitConverter.TryWriteBytes(bytes, kind);
        BitConverter.TryWriteBytes(bytes.AsSpan(4), length);
        BitConverter.TryWriteBytes(bytes.AsSpan(8), a);
        return bytes;
    }
}
