using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>Frames both ways in all the forms that drivers use.</summary>
public sealed class DataPathTests
{
    [Theory]
    [InlineData(0x60001u)]
    [InlineData(0x60000u)]
    [InlineData(0x50000u)]
    [InlineData(0x40000u)]
    [InlineData(0x30002u)]
    [InlineData(0x2u)]
    public async Task Each_nvsp_version_carries_frames(uint version)
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { NvspVersions = [version] });
        Assert.Equal(version, guest.Driver.Version);
        foreach (var length in new[] { 14, 60, 1514 }) guest.AssertEcho(length);
    }

    [Theory]
    [InlineData("1", 2u)]
    [InlineData("5", 0x50000u)]
    public async Task Version_option_makes_the_guest_try_older_ones(string option, uint taken)
    {
        await using var bench = new Bench();
        await bench.AddAsync($",\"nvspVersion\":\"{option}\"");
        using var guest = Guest.Start(bench);
        Assert.Equal(taken, guest.Driver.Version);
        guest.AssertEcho();
    }

    [Fact]
    public async Task Buffers_whose_pages_are_scattered_carry_frames_of_every_size()
    {
        await using var bench = new Bench();
        await bench.AddAsync(mtu: 9000);
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Scattered = true, ReceiveBuffer = 4 << 20 });
        for (var length = 14; length <= 9014; length += 97) guest.AssertEcho(length);
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: false, 40_000, 1400);
        Assert.True(guest.Send(frame, offload));
        Assert.Equal(frame, guest.Next()?.Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Several_frames_in_one_packet_are_one_stream_of_section_and_pages(bool cutInTwo)
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench);
        // Three messages, padded to eight bytes, the last one longer than what is left where it is cut.
        var stream = new List<byte>();
        for (var i = 0; i < 3; i++)
        {
            var frame = TestFrames.Plain(200 + i, i);
            stream.AddRange(VmbusClient.Words(1, (uint)(44 + frame.Length + 7) & ~7u, 36, (uint)frame.Length, 0, 0, 0, 0, 0, 0, 0));
            stream.AddRange(frame);
            while (stream.Count % 8 != 0) stream.Add(0);
        }
        var (section, inSection, ranges) = Lay(guest, [.. stream], cutInTwo ? 600 : stream.Count);
        var payload = VmbusClient.Words(107, 0, (uint)section, (uint)inSection, 0, 0, 0, 0, 0, 0);
        Assert.True(guest.Queue.Channel.Out.TryWrite(cutInTwo ? (ushort)9 : (ushort)6, (ulong)section, true, ranges, payload, out _));
        guest.Queue.Channel.Signal();
        for (var i = 0; i < 3; i++) Assert.Equal(TestFrames.Plain(200 + i, i), guest.Next()?.Bytes);
        Assert.True(SpinWait.SpinUntil(() => nic.Counters(0).TxFrames == 3, 3000));
        Assert.Equal(0, guest.Queue.Refused);
    }

    /// <summary>Puts the start of a stream into a section and the rest into pages of their own, one frame number to each range, as older kernels have it.</summary>
    private static unsafe (int Section, int InSection, byte[] Ranges) Lay(Guest guest, byte[] stream, int inSection)
    {
        Assert.True(guest.Driver.FreeSections.TryPop(out var section));
        stream.AsSpan(0, inSection).CopyTo(new Span<byte>(guest.Driver.Send!.At(section * guest.Driver.SendSectionSize), inSection));
        if (inSection == stream.Length) return (section, inSection, Array.Empty<byte>());
        var rest = stream.AsSpan(inSection);
        var page = guest.Ram.Allocate(3 * 4096, 4096);
        rest[..50].CopyTo(new Span<byte>(page + 100, 50));
        rest[50..].CopyTo(new Span<byte>(page + 8192, rest.Length - 50));
        byte[] ranges =
        [
            .. VmbusClient.Words(0, 2, 50, 100), .. BitConverter.GetBytes(guest.Ram.ToGuest(page) / 4096),
            .. VmbusClient.Words((uint)rest.Length - 50, 0), .. BitConverter.GetBytes(guest.Ram.ToGuest(page + 8192) / 4096),
        ];
        return (section, inSection, ranges);
    }

    [Fact]
    public async Task Tag_beside_the_frame_comes_back_beside_it()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var frame = TestFrames.Plain(100, 1);
        Assert.True(guest.Send(frame, new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 0xb123 }));
        var back = guest.Next();
        Assert.Equal(frame, back?.Bytes);
        Assert.Equal((FrameFlags.Vlan, (ushort)0xb123), (back!.Offload.Flags, back.Offload.VlanTci));
    }

    [Fact]
    public async Task Open_checksum_of_the_guest_is_completed_on_the_way_back()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        using var guest = Guest.Start(bench);
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 500, 1400);
        offload.Gso = GsoKind.None;
        Assert.True(guest.Send(frame, offload));
        var back = guest.Next();
        Assert.NotNull(back);
        Assert.True(TestFrames.HasGoodTransportChecksum(back.Bytes));
        Assert.Equal(ChecksumState.Verified, back.Offload.Checksum);
    }

    [Fact]
    public async Task Super_frame_to_a_guest_that_merges_nothing_comes_as_wire_frames_with_good_sums()
    {
        await using var bench = new Bench();
        await bench.AddAsync();
        // Version 6 has large send, but no way to merge what is received.
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { NvspVersions = [0x60000] });
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: true, 10_000, 1400);
        Assert.True(guest.Send(frame, offload));
        var payload = 0;
        while (payload < 10_000)
        {
            var back = guest.Next();
            Assert.NotNull(back);
            Assert.InRange(back.Bytes.Length, 54, 1454);
            Assert.True(TestFrames.HasGoodTransportChecksum(back.Bytes));
            Assert.Equal(0xffff, TestFrames.Fold(TestFrames.NaiveSum(back.Bytes.AsSpan(14, 20))));
            payload += back.Bytes.Length - 54;
        }
        Assert.Equal(10_000, payload);
    }

    [Fact]
    public async Task Frames_are_steered_by_the_guests_table_and_a_new_table_counts_at_once()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 3);
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 3 });
        var (frame, _) = TestFrames.TcpSuperFrame(v4: true, 100, 1400);
        foreach (var channel in new[] { 0, 1, 2, 1 })
        {
            Assert.Equal(0u, guest.Driver.Tune(0x0001_0204, Scaling.Setting([(uint)channel])));
            var before = guest.Driver.Queues[channel].FramesReceived;
            for (var i = 0; i < 50; i++)
            {
                Assert.True(guest.Send(frame));
                var back = guest.Next();
                Assert.Equal(frame, back?.Bytes);
                Assert.True(back!.Offload.Flags.HasFlag(FrameFlags.Hash));
            }
            Assert.Equal(50, guest.Driver.Queues[channel].FramesReceived - before);
        }
        // Frames without a hash stay on their own channel.
        guest.AssertEcho();
        Assert.Empty(nic.GuestFaults);
        // Sections wander between the channels and none is lost.
        var sections = 0L;
        for (var i = 0; i < 3; i++) sections += (long)(await nic.InspectAsync($"queue{i}", "rxSections"))!;
        Assert.Equal((long)(await nic.InspectAsync("nvsp", "receiveSections"))! - 16, sections);
    }

    [Fact]
    public async Task Small_rings_and_buffers_under_load_lose_nothing()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { RingPages = 2, ReceiveBuffer = 256 << 10, SendBuffer = 64 << 10 });
        var (sent, received) = (0, 0);
        var limit = Environment.TickCount64 + 20_000;
        while (received < 3000 && Environment.TickCount64 < limit)
        {
            while (sent < 3000 && guest.Send(TestFrames.Plain(60 + (sent % 1000), sent))) sent++;
            if (guest.Next(500) is not { } frame) continue;
            Assert.Equal(TestFrames.Plain(60 + (received % 1000), received), frame.Bytes);
            received++;
        }
        Assert.Equal(3000, received);
        Assert.Empty(nic.GuestFaults);
    }

    [Fact]
    public async Task Frame_for_a_guest_that_wants_none_waits_and_costs_no_turns()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { Filter = 0 });
        var frame = TestFrames.Plain(200, 1);
        Assert.True(guest.Send(frame));
        AssertRests(guest, nic);
        guest.Driver.SetFilter(0x20);
        Assert.Equal(frame, guest.Next()?.Bytes);
    }

    [Fact]
    public async Task Super_frame_for_which_too_few_sections_are_left_waits_and_costs_no_turns()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync();
        // 64 sections of 4096 bytes, 16 of them for control.
        using var guest = Guest.Start(bench, Guest.Plain(bench) with { ReceiveBuffer = 256 << 10 });
        guest.Queue.Returning = false;
        var (frame, offload) = TestFrames.TcpSuperFrame(v4: false, 40_000, 1400);
        for (var i = 0; i < 5; i++) Assert.True(guest.Send(frame, offload));
        Assert.True(guest.Until(() => guest.Frames.Count == 4));
        AssertRests(guest, nic);
        Assert.Equal(4, guest.Frames.Count);
        guest.Queue.Returning = true;
        Assert.True(guest.Until(() => guest.Frames.Count == 5));
        Assert.All(guest.Frames, f => Assert.Equal(frame, f.Bytes));
    }

    /// <summary>The endpoint is told to try again when that can help, not over and over.</summary>
    private static void AssertRests(Guest guest, TestNic nic)
    {
        Assert.True(SpinWait.SpinUntil(() => nic.Counters(0).RxStalls > 0, 3000));
        for (var i = 0; i < 10; i++) Assert.Equal(6, guest.Driver.Ask(0x0101_0101)!.Length);
        guest.Until(() => false, 50);
        Assert.InRange(nic.Counters(0).RxStalls, 1, 40);
    }

    [Fact]
    public async Task Indirection_table_reaches_the_guest_where_its_version_looks_for_it()
    {
        foreach (var (version, at) in new[] { (0x60001u, 40), (0x50000u, 28) })
        {
            await using var bench = new Bench();
            await bench.AddAsync(queues: 2);
            using var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 2, NvspVersions = [version] });
            Assert.True(guest.Until(() => guest.Queue.LastMessage is not null));
            var message = guest.Queue.LastMessage!;
            Assert.Equal((134u, 16u, (uint)at), (Word(message, 0), Word(message, 1), Word(message, 2)));
            for (var i = 0; i < 16; i++) Assert.Equal((uint)(i % 2), Word(message, (at / 4) + i));
        }

        static uint Word(byte[] bytes, int index) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4 * index));
    }
}
