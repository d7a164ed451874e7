using System.Buffers.Binary;
using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>Writes what no driver writes.</summary>
internal static class Hostile
{
    public static unsafe int Header(Guest guest, int at, uint dataOffset, uint dataLength, uint messageLength)
    {
        Assert.True(guest.Driver.FreeSections.TryPop(out var section));
        var message = guest.Driver.Send!.At(section * guest.Driver.SendSectionSize);
        new Span<byte>(message, 256).Clear();
        VmbusClient.Words(1, messageLength, dataOffset, dataLength).CopyTo(new Span<byte>(message, 16));
        TestFrames.Plain(60, 1).CopyTo(new Span<byte>(message + at, 60));
        return section;
    }

    public static void Packet(Guest guest, ushort type, int section, int size, byte[] header, uint? index = null)
    {
        var payload = VmbusClient.Words(107, 0, index ?? (uint)section, (uint)size, 0, 0, 0, 0, 0, 0);
        Assert.True(guest.Queue.Channel.Out.TryWrite(type, (ulong)section, true, header, payload, out _));
        guest.Queue.Channel.Signal();
    }

    public static void Raw(Guest guest, ushort type, ulong transaction, byte[] payload)
    {
        Assert.True(guest.Queue.Channel.Out.TryWrite(type, transaction, false, [], payload, out _));
        guest.Queue.Channel.Signal();
    }

    public static void Descriptor(GuestRing ring, ushort type, ushort offset8, ushort length8)
    {
        var at = (int)ring.WriteIndex;
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[at..], type);
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[(at + 2)..], offset8);
        BinaryPrimitives.WriteUInt16LittleEndian(ring.Data[(at + 4)..], length8);
        Volatile.Write(ref ring.WriteIndex, (uint)(at + 64));
    }

    /// <summary>Ranges of 4 bytes in pages that do not touch each other.</summary>
    public static unsafe byte[] ScatteredRanges(Guest guest, int count)
    {
        var pages = guest.Ram.Allocate(2 * count * 4096, 4096);
        var ranges = new List<byte>(VmbusClient.Words(0, (uint)count));
        for (var i = 0; i < count; i++)
        {
            ranges.AddRange(VmbusClient.Words(4, 0));
            ranges.AddRange(BitConverter.GetBytes(guest.Ram.ToGuest(pages + (i * 2 * 4096)) / 4096));
        }
        return [.. ranges];
    }
}
