using System.Runtime.InteropServices;
using CsCheck;
using NicHost.Contracts.Memory;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Rings;
using NicHost.Probe.Netvsc;

namespace NicHost.NetVsp.Tests.Rings;

/// <summary>Both rings against the guest's side, which was written from the other end.</summary>
public sealed unsafe class RingPropertyTests
{
    private const int Pages = 3;

    [Fact]
    public void Packets_to_the_host_arrive_whole_in_order_whatever_their_sizes() => Gen.Int[0, 3000].List[1, 200].Sample(sizes =>
    {
        using var memory = new Memory(Pages, scattered: true);
        var (guest, host) = (memory.GuestRing(), new IncomingRing(memory.Pages));
        var packet = new byte[IncomingRing.MaxPacket];
        var waiting = new Queue<(int Size, int Number)>();
        for (var i = 0; i < sizes.Count; i++)
        {
            while (!guest.TryWrite(6, (ulong)i, true, [], Content(sizes[i], i), out _)) Drain(1);
            waiting.Enqueue((sizes[i], i));
            if (i % 3 == 0) Drain(2);
        }
        Drain(int.MaxValue);
        Assert.Empty(waiting);
        Assert.Equal(0, host.Read(packet, out _));
        Assert.Null(host.Fault);

        void Drain(int most)
        {
            while (most-- > 0 && host.Read(packet, out var descriptor) is var length && length > 0)
            {
                var (size, number) = waiting.Dequeue();
                Assert.Equal((ulong)number, descriptor.TransactionId);
                Assert.Equal(Content(size, number), packet.AsSpan(16, size).ToArray());
            }
            host.Publish();
        }
    }, iter: 200);

    /// <summary>The guest signals when the ring was empty, as far as it was shown: what comes between the last look and sleep must not be lost.</summary>
    [Fact]
    public void Packet_behind_the_last_one_read_is_signalled_once_signals_are_wanted()
    {
        using var memory = new Memory(Pages, scattered: true);
        var (guest, host) = (memory.GuestRing(), new IncomingRing(memory.Pages));
        var packet = new byte[IncomingRing.MaxPacket];
        host.Mask();
        for (var i = 0; i < 3; i++) Assert.True(guest.TryWrite(6, 1, true, [], Content(100, i), out _));
        while (host.Read(packet, out _) > 0)
        {
            // All of them.
        }
        Assert.False(host.Unmask(out _));
        Assert.True(guest.TryWrite(6, 1, true, [], Content(100, 3), out var signal));
        Assert.True(signal);
    }

    [Fact]
    public void Packets_to_the_guest_arrive_whole_and_a_full_ring_asks_for_a_signal() => Gen.Int[0, 3000].List[1, 200].Sample(sizes =>
    {
        using var memory = new Memory(Pages, scattered: true);
        var guest = memory.GuestRing();
        var host = new OutgoingRing(memory.Pages);
        var packet = new byte[16384];
        var next = 0;
        for (var i = 0; i < sizes.Count; i++)
        {
            var needed = OutgoingRing.Needed(8, sizes[i]);
            while (!host.HasRoom(needed))
            {
                Assert.Equal((uint)needed, guest.PendingSendSize);
                // Exactly at the packet that makes enough room the guest has to signal.
                while (!Take(out var signal))
                {
                    Assert.Equal(guest.Room > needed, signal);
                    if (signal) break;
                }
                host.DropWish();
            }
            host.Write(PacketType.TransferPages, true, (ulong)i, Content(8, i), Content(sizes[i], i));
            host.Publish();
        }
        while (next < sizes.Count) Take(out _);
        Assert.Null(host.Fault);

        // Returns whether nothing was there.
        bool Take(out bool signal)
        {
            var length = guest.TryRead(packet, out signal);
            Assert.True(length >= 0);
            if (length == 0) return true;
            Assert.Equal(Content(sizes[next], next), packet.AsSpan(24, sizes[next]).ToArray());
            next++;
            return false;
        }
    }, iter: 200);

    [Fact]
    public void Signals_follow_the_rules_of_the_drivers()
    {
        using var memory = new Memory(Pages, scattered: false);
        var guest = memory.GuestRing();
        var host = new OutgoingRing(memory.Pages);
        Assert.False(host.Publish());
        Assert.True(Write());
        // Not read yet: the guest is awake.
        Assert.False(Write());
        guest.TryRead(new byte[100], out _);
        Assert.False(Write());
        guest.TryRead(new byte[100], out _);
        guest.TryRead(new byte[100], out _);
        guest.InterruptMask = 1;
        Assert.False(Write());

        bool Write()
        {
            host.Write(PacketType.InBand, false, 0, [], [1, 2, 3]);
            return host.Publish();
        }
    }

    [Fact]
    public void Any_bytes_in_a_ring_end_as_packets_or_as_a_fault() =>
        Gen.Select(Gen.Byte.Array[0, 512], Gen.UInt[0, 9000], Gen.UInt[0, 9000]).Sample((bytes, write, read) =>
    {
        using var memory = new Memory(Pages, scattered: true);
        var guest = memory.GuestRing();
        bytes.CopyTo(guest.Data);
        (guest.WriteIndex, guest.ReadIndex) = (write, read);
        var host = new IncomingRing(memory.Pages);
        var packet = new byte[IncomingRing.MaxPacket];
        for (var i = 0; i < 2000 && host.Read(packet, out _) > 0; i++) host.Publish();
        Assert.True(host.Fault is not null || host.ReadIndex == guest.WriteIndex);
    }, iter: 2000);

    [Fact]
    public void Read_index_that_overtakes_the_host_stops_it() => Gen.UInt[0, 9000].Sample(read =>
    {
        using var memory = new Memory(Pages, scattered: false);
        var guest = memory.GuestRing();
        var host = new OutgoingRing(memory.Pages);
        for (var i = 0; i < 10; i++) host.Write(PacketType.InBand, false, 0, [], new byte[40]);
        host.Publish();
        guest.ReadIndex = read;
        var room = host.HasRoom(host.Size - 100);
        Assert.Equal(read % 8 != 0 || read > host.WriteIndex, host.Fault is not null);
        if (host.Fault is not null) Assert.False(room);
    }, iter: 2000);

    private static byte[] Content(int size, int number)
    {
        var bytes = new byte[size];
        for (var i = 0; i < size; i++) bytes[i] = (byte)((number * 31) + i);
        return bytes;
    }

    /// <summary>Pages that lie together for the guest's side, and in any other order for the host's where wished.</summary>
    private sealed class Memory : IDisposable
    {
        private readonly byte* _base;
        private readonly int _pages;

        public Memory(int pages, bool scattered)
        {
            _pages = pages;
            _base = (byte*)NativeMemory.AlignedAlloc((nuint)(pages * 4096), 4096);
            // One region for each page, far from each other in guest addresses: nothing is a run.
            var regions = Enumerable.Range(0, pages).Select(i => new GuestRegion((ulong)(scattered ? pages - i : i) << 20, 4096, (nint)(_base + (i * 4096)))).ToArray();
            var frames = regions.Select(r => r.GuestAddress >> 12).ToArray();
            Pages = GpaPages.TryMake(new GuestMemory(regions), frames, out _)!;
        }

        public GpaPages Pages { get; }

        public GuestRing GuestRing() => new(_base, _pages);

        public void Dispose() => NativeMemory.AlignedFree(_base);
    }
}
