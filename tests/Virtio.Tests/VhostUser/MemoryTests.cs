using NicHost.Linux;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

public sealed class MemoryTests
{
    private const ulong Low = GuestFile.GuestBase;
    private static readonly byte[] Frame = [.. Enumerable.Range(1, 60).Select(i => (byte)i)];

    private static byte[] Region(ulong guest, ulong size, ulong user, ulong offset) => FrontEnd.Words(0, guest, size, user, offset);

    [Fact]
    public void Region_that_starts_far_into_its_file_is_mapped_from_there()
    {
        using var nic = Nic.Started();
        using var file = VirtualMemory.CreateMemoryFile("offset", 64 << 20);
        using var guest = new Guest(nic);
        guest.Negotiate();
        // Not even page aligned.
        var table = FrontEnd.Words(1, 0, 0x10000, 0x5000, (48 << 20) + 512);
        Assert.Equal(0ul, guest.Front.Acked(Request.SetMemTable, table, file.Raw));
        var mapped = nic.Device.Pairs[0];
        Assert.NotNull(mapped);
        guest.SendTable();
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Send(Frame);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Two_regions_of_one_file_are_two_places()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        const ulong half = 4 << 20;
        var table = FrontEnd.Words(
            2,
            GuestFile.GuestBase, half, GuestFile.UserBase, 0,
            GuestFile.GuestBase + half + 0x4000_0000, half, GuestFile.UserBase + half, half);
        Assert.Equal(0ul, guest.Front.Acked(Request.SetMemTable, table, guest.Memory.File.Raw, guest.Memory.File.Raw));
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        // A buffer in the second region: its guest address lies 1 GiB higher than in the file.
        var at = GuestFile.GuestBase + half + 4096;
        Frame.CopyTo(guest.Memory.Span(at + 12, Frame.Length));
        guest.Memory.Span(at, 12).Clear();
        guest.Tx.Add((at + 0x4000_0000, 12 + Frame.Length, false));
        guest.Kick(1);
        Assert.Equal(Frame, Assert.Single(nic.Queue.Frames).Bytes);
    }

    [Fact]
    public void Regions_added_one_by_one_work_and_go_one_by_one()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        var before = Descriptors.Open();
        Assert.Equal(0ul, guest.Front.Acked(Request.AddMemReg, Region(Low, (ulong)guest.Memory.Size, GuestFile.UserBase, 0), guest.Memory.File.Raw));
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Send(Frame);
        using var more = VirtualMemory.CreateMemoryFile("hotplug", 1 << 20);
        for (var i = 1; i < MemoryTable.MaxSlots; i++)
            Assert.Equal(0ul, guest.Front.Acked(Request.AddMemReg, Region(0x1_0000_0000 * (ulong)i, 1 << 20, 0x100_0000 * (ulong)i, 0), more.Raw));
        guest.Send(Frame);
        Assert.Equal(2, nic.Queue.Frames.Count);
        Assert.Equal(1ul, guest.Front.Acked(Request.AddMemReg, Region(0xffff_0000_0000, 1 << 20, 0x77_0000_0000, 0), more.Raw));
        Assert.Equal(0ul, guest.Front.Acked(Request.RemMemReg, Region(0x1_0000_0000, 1 << 20, 0x100_0000, 0)));
        Assert.Equal(0ul, guest.Front.Acked(Request.RemMemReg, Region(0x1_0000_0000, 1 << 20, 0x100_0000, 0)));
        Assert.Equal(0ul, guest.Front.Acked(Request.RemMemReg, Region(0x2_0000_0000, 1 << 20, 0x200_0000, 0), more.Raw));
        guest.Send(Frame);
        Assert.Equal(3, guest.Tx.TakeAll().Count);
        // Only the kick, call and file descriptors of the guest itself came on top.
        Assert.InRange(Descriptors.Open() - before, 0, 4);
    }

    [Fact]
    public void Region_added_once_per_queue_pair_is_one_region()
    {
        // As QEMU 7.2 does with several queue pairs: each of its devices adds, and removes, all of the memory.
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        var region = Region(Low, (ulong)guest.Memory.Size, GuestFile.UserBase, 0);
        var before = Descriptors.Open();
        Assert.Equal(0ul, guest.Front.Acked(Request.AddMemReg, region, guest.Memory.File.Raw));
        guest.StartRing(1);
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        var queue = nic.Queue;
        Assert.Equal(0ul, guest.Front.Acked(Request.AddMemReg, region, guest.Memory.File.Raw));
        Assert.False(queue.Closed);
        guest.Send(Frame);
        Assert.Single(queue.Frames);
        guest.Front.Ask(Request.GetVringBase, FrontEnd.State(1, 0));
        Assert.Equal(0ul, guest.Front.Acked(Request.RemMemReg, region));
        Assert.Equal(0ul, guest.Front.Acked(Request.RemMemReg, region));
        Assert.Equal(before + 1, Descriptors.Open());
        Assert.Empty(nic.Backend.Faults);
    }

    [Theory]
    [InlineData(0ul, 0ul, 0ul)]                                  // empty
    [InlineData(0ul, 0x10_0000ul, 0x800_0000ul)]                 // beyond the file
    [InlineData(0ul, ulong.MaxValue, 0ul)]                       // endless
    [InlineData(ulong.MaxValue - 0xfff, 0x2000ul, 0ul)]          // wraps in guest addresses
    [InlineData(0ul, 0x10_0000ul, ulong.MaxValue - 5)]           // wraps in the file
    public void Region_that_cannot_be_is_refused_and_the_old_table_stays(ulong address, ulong size, ulong offset)
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        Assert.Equal(1ul, guest.Front.Acked(Request.SetMemTable, FrontEnd.Words(1, address, size, 0x1000, offset), guest.Memory.File.Raw));
        Assert.Equal(1ul, guest.Front.Acked(Request.AddMemReg, FrontEnd.Words(0, address, size, 0x1000, offset), guest.Memory.File.Raw));
        guest.Send(Frame);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Overlapping_regions_are_refused()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        Assert.Equal(1ul, guest.Front.Acked(Request.AddMemReg, Region(Low + 4096, 4096, 0x9000, 0), guest.Memory.File.Raw));
        Assert.Equal(1ul, guest.Front.Acked(
            Request.SetMemTable, FrontEnd.Words(2, 0, 8192, 0, 0, 4096, 8192, 8192, 0), guest.Memory.File.Raw, guest.Memory.File.Raw));
        guest.Send(Frame);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Table_whose_count_does_not_fit_its_size_or_descriptors_ends_the_connection()
    {
        foreach (var (count, words, fds) in new[] { (2ul, 4, 1), (9ul, 4, 1), (1ul, 4, 0), (1ul, 4, 2), (0xffff_ffff, 4, 1) })
        {
            using var nic = Nic.Started();
            using var guest = new Guest(nic);
            guest.Front.Send(
                Request.SetMemTable, FrontEnd.Words([count, .. new ulong[words]]), 0, [.. Enumerable.Repeat(guest.Memory.File.Raw, fds)]);
            Assert.True(guest.Front.IsClosed);
        }
    }

    [Fact]
    public void Table_longer_than_its_regions_is_taken()
    {
        // User Mode Linux always sends room for two regions.
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        Assert.Equal(0ul, guest.Front.Acked(Request.SetMemTable, [.. guest.Table(), .. new byte[32]], guest.Memory.File.Raw));
        guest.Send(Frame);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Table_replaced_under_running_rings_goes_on_in_the_new_one()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        guest.Post(4, 2048);
        guest.Send(Frame);
        Assert.Equal(0ul, guest.Front.Acked(Request.SetMemTable, guest.Table(), guest.Memory.File.Raw));
        guest.Send(Frame);
        Assert.True(nic.Queue.Deliver(Frame));
        Assert.Equal(2, guest.Tx.TakeAll().Count);
        Assert.Single(guest.Rx.TakeAll());
    }

    [Fact]
    public void Table_without_the_rings_of_enabled_queues_is_refused()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        using var other = VirtualMemory.CreateMemoryFile("other", 4096);
        Assert.Equal(1ul, guest.Front.Acked(Request.SetMemTable, FrontEnd.Words(1, 0, 4096, 0, 0), other.Raw));
        Assert.Contains("not inside the memory table", nic.Backend.Faults[0], StringComparison.Ordinal);
        Assert.True(nic.Queue.Closed);
    }

    [Fact]
    public void Memory_that_the_front_end_takes_away_ends_the_attachment_and_nothing_else()
    {
        using var nic = Nic.Started();
        using var guest = Guest.Running(nic);
        VirtualMemory.Resize(guest.Memory.File.Raw, 0);
        guest.Kicks[1].Signal();
        nic.Turn();
        Assert.True(guest.Front.IsClosed);
        Assert.Contains("took guest memory away", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
        using var next = new Guest(nic);
        next.Negotiate();
        next.StartAll();
        next.Send(Frame);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Ring_that_is_not_aligned_is_refused()
    {
        using var nic = Nic.Started();
        using var guest = new Guest(nic);
        guest.Negotiate();
        guest.SendTable();
        guest.Front.Send(Request.SetVringEnable, FrontEnd.State(1, 1));
        guest.Front.Send(Request.SetVringNum, FrontEnd.State(1, 16));
        var addresses = guest.Addresses(1);
        addresses[8] += 8;
        guest.Front.Send(Request.SetVringAddr, addresses);
        Assert.Equal(1ul, guest.Front.Acked(Request.SetVringKick, FrontEnd.Words(1), guest.Kicks[1].Raw));
        Assert.Contains("aligned", Assert.Single(nic.Backend.Faults), StringComparison.Ordinal);
    }
}
