using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Tests.Virtqueue;

/// <summary>Guests that break their rings: the queue stops with the reason, the connection and other queues live, a reset brings it back.</summary>
public sealed unsafe class HostileRingTests
{
    private static readonly byte[] Frame = [.. Enumerable.Range(1, 60).Select(i => (byte)i)];

    public static TheoryData<string> TxLies() =>
        ["index jumps", "head beyond", "next beyond", "loop", "self loop", "outside memory", "wrapping address", "across the end", "nested", "indirect next",
            "indirect odd", "indirect empty", "indirect outside", "indirect loop", "read after write", "indirect not negotiated"];

    private static void Lie(Guest guest, string lie)
    {
        var ring = guest.Tx;
        var at = guest.Allocate(4096);
        var table = guest.Allocate(4096);
        ref var first = ref ring.Descriptor(0);
        var entry = (SplitDescriptor*)guest.Memory.At(table);
        first = new SplitDescriptor { Address = at, Length = 100 };
        for (var i = 0; i < 16; i++) ring.AvailEntry(i) = 0;
        var jump = 1;
        switch (lie)
        {
            case "index jumps": jump = ring.Size + 1; break;
            case "head beyond": for (var i = 0; i < 16; i++) ring.AvailEntry(i) = (ushort)ring.Size; break;
            case "next beyond": first.Flags = SplitDescriptor.FlagNext; first.Next = (ushort)ring.Size; break;
            case "self loop": first.Flags = SplitDescriptor.FlagNext; break;
            case "loop":
                first.Flags = SplitDescriptor.FlagNext;
                first.Next = 1;
                ring.Descriptor(1) = new SplitDescriptor { Address = at, Length = 0, Flags = SplitDescriptor.FlagNext };
                break;
            case "outside memory": first.Address = 0x10; break;
            case "wrapping address": first.Address = ulong.MaxValue - 10; break;
            case "across the end": first.Address = GuestFile.GuestBase + (ulong)guest.Memory.Size - 10; break;
            case "indirect not negotiated":
            case "nested":
                first = new SplitDescriptor { Address = table, Length = 16, Flags = SplitDescriptor.FlagIndirect };
                *entry = first;
                break;
            case "indirect next": first = new SplitDescriptor { Address = table, Length = 16, Flags = SplitDescriptor.FlagIndirect | SplitDescriptor.FlagNext }; break;
            case "indirect odd": first = new SplitDescriptor { Address = table, Length = 24, Flags = SplitDescriptor.FlagIndirect }; break;
            case "indirect empty": first = new SplitDescriptor { Address = table, Length = 0, Flags = SplitDescriptor.FlagIndirect }; break;
            case "indirect outside": first = new SplitDescriptor { Address = table, Length = 0xffff_fff0, Flags = SplitDescriptor.FlagIndirect }; break;
            case "indirect loop":
                first = new SplitDescriptor { Address = table, Length = 32, Flags = SplitDescriptor.FlagIndirect };
                entry[0] = new SplitDescriptor { Address = at, Length = 0, Flags = SplitDescriptor.FlagNext, Next = 1 };
                entry[1] = new SplitDescriptor { Address = at, Length = 0, Flags = SplitDescriptor.FlagNext, Next = 0 };
                break;
            default:
                first = new SplitDescriptor { Address = at, Length = 100, Flags = SplitDescriptor.FlagWrite | SplitDescriptor.FlagNext, Next = 1 };
                ring.Descriptor(1) = new SplitDescriptor { Address = at, Length = 100 };
                break;
        }
        ring.AvailIndex = (ushort)(ring.AvailIndex + jump);
        guest.Kick(1);
    }

    [Theory]
    [MemberData(nameof(TxLies))]
    public void Transmit_ring_with_a_lie_stops_with_a_reason_and_comes_back_after_a_reset(string lie)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, Guest.Modern | (lie == "indirect not negotiated" ? 0 : NetFeatures.IndirectDesc));
        using var error = new EventFd();
        guest.Front.Send(Request.SetVringErr, 1, 0, error.Raw);
        Lie(guest, lie);
        Assert.StartsWith("tx ring 1: ", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        Assert.True(nic.Queue.Closed);
        Assert.Equal(1, error.Drain().Count);
        Assert.Empty(nic.Queue.Frames);
        // Nothing more is heard from the ring.
        guest.Kick(1);
        guest.Kick(0);
        Assert.Single(nic.Backend.Faults);
        Assert.False(guest.Front.IsClosed);

        guest.Front.Ask(Request.GetVringBase, FrontEnd.State(0, 0));
        guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0));
        guest.Memory.Span(guest.Tx.Descriptors, (int)(guest.Tx.End - guest.Tx.Descriptors)).Clear();
        guest.StartRing(0);
        guest.StartRing(1);
        guest.Send(Frame);
        Assert.Equal(Frame, Assert.Single(nic.Queue.Frames).Bytes);
    }

    [Fact]
    public void Ring_that_did_not_lie_goes_on_when_the_other_starts_over()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        Lie(guest, "self loop");
        guest.Memory.Span(guest.Tx.Descriptors, (int)(guest.Tx.End - guest.Tx.Descriptors)).Clear();
        guest.StartRing(1);
        Assert.False(nic.Queue.Deliver(Frame));
        guest.Post(1, 2048);
        guest.Kick(0);
        Assert.Equal(1, nic.Queue.ReceiveReadies);
        Assert.True(nic.Queue.Deliver(Frame));
    }

    [Theory]
    [InlineData("readable buffer")]
    [InlineData("no room for a header")]
    [InlineData("outside memory")]
    [InlineData("index jumps")]
    [InlineData("index jumps with buffers out")]
    public void Receive_ring_with_a_lie_stops_with_a_reason(string lie)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        var at = guest.Allocate(4096);
        switch (lie)
        {
            case "readable buffer": guest.Rx.Add((at, 2048, false)); break;
            case "no room for a header": guest.Rx.Add((at, 12, true)); break;
            case "outside memory": guest.Rx.Add((0x10, 2048, true)); break;
            case "index jumps": guest.Rx.AvailIndex = 17; break;
            default:
                for (var i = 0; i < 10; i++) guest.Rx.Add((at, 100, true));
                Assert.True(nic.Queue.Deliver(Frame, reserve: 700));
                guest.Rx.AvailIndex += 8;
                break;
        }
        Assert.False(nic.Queue.Deliver(Frame, reserve: 1400));
        nic.Turn();
        Assert.StartsWith("rx ring 0: ", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        Assert.True(nic.Queue.Closed);
        Assert.False(guest.Front.IsClosed);
    }

    [Fact]
    public void Fault_of_one_pair_leaves_the_other_running()
    {
        using var nic = Nic.Started(queues: 2);
        using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.Mq, pairs: 2);
        Lie(guest, "self loop");
        Assert.True(nic.Queue.Closed);
        guest.Send(Frame, ring: 3);
        Assert.Single(nic.Backend.Queues[1]!.Frames);
    }

    [Fact]
    public void Buffer_that_changes_into_another_shape_while_it_is_reserved_harms_nobody()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic, NetFeatures.ProtocolFeatures | NetFeatures.Version1);
        var at = guest.Allocate(4096);
        var head = guest.Rx.Add((at, 12, true), (at + 12, 1000, true), (at + 1012, 1000, true));
        Span<Segment> segments = new Segment[8];
        Assert.True(nic.Queue.Device.Reserve(1500, segments, out var ticket) > 0);
        guest.Rx.Descriptor(head).Length = 5;
        guest.Rx.Descriptor(head).Flags = SplitDescriptor.FlagWrite;
        nic.Queue.Device.Commit(ticket, 1500, default);
        nic.Queue.Device.Flush();
        Assert.False(guest.Front.IsClosed);
        guest.Rx.Add((at, 2048, true));
        guest.Kick(0);
    }

    [Fact]
    public void Memory_full_of_noise_never_leaves_its_bounds()
    {
        // Any ring contents: what comes out lies inside the map, and every walk ends.
        using var file = new GuestFile(1 << 16);
        var map = file.Map();
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var segments = new Segment[FrameLimits.MaxTxSegments];
        for (var round = 0; round < 3000; round++)
        {
            random.NextBytes(file.Span(GuestFile.GuestBase, 1 << 13));
            var size = 1 << random.Next(0, 8);
            for (var i = 0; i < size; i++)
            {
                ref var descriptor = ref *(SplitDescriptor*)file.At(GuestFile.GuestBase + ((ulong)i * 16));
                if (random.Next(8) > 0) descriptor.Address = GuestFile.GuestBase + (ulong)random.Next(1 << 16);
                if (random.Next(8) > 0) descriptor.Length = (uint)random.Next(64) * 16;
                if (random.Next(8) > 0) descriptor.Next = (ushort)random.Next(size);
                if (random.Next(4) > 0) descriptor.Flags &= 7;
            }
            var ring = new DriverRing(file, GuestFile.GuestBase + 0x8000, size);
            var at = new SplitRingAddresses(size, GuestFile.UserBase, GuestFile.ToUser(ring.Available), GuestFile.ToUser(ring.Used));
            for (var i = 0; i < size; i++) ring.AvailEntry(i) = (ushort)random.Next(size);
            ring.AvailIndex = (ushort)size;
            var features = (RingFeatures)random.Next(8);
            var queue = SplitRing.TryCreate(map, at, features, 0, out var fault);
            Assert.True(queue is not null, fault);
            while (queue.TryPop(out var head))
            {
                var count = queue.Walk(head, segments, out var readable);
                if (count < 0) continue;
                Assert.InRange(readable, 0, count);
                foreach (var segment in segments.AsSpan(0, count))
                {
                    var offset = (ulong)(segment.Base - file.Host + 0) - (ulong)((byte*)map.Regions[0].HostAddress - file.Host);
                    Assert.True(offset + segment.Length <= 1 << 16, $"seed {seed}, round {round}");
                }
                queue.Complete(head, 0);
            }
        }
    }
}
