using NicHost.Linux;
using NicHost.Probe.Driver;

namespace NicHost.Hostile.Tests.Rings;

/// <summary>Writes one lie into a ring behind what stands there honestly, shows it and kicks.</summary>
internal sealed unsafe class Lies(RawRing ring, EventFd kick)
{
    private const ushort Next = RingDescriptor.Next;
    private const ushort Write = RingDescriptor.Write;
    private const ushort Indirect = RingDescriptor.Indirect;

    public void Tell(string lie, bool rx = false)
    {
        var index = ring.AvailIndex;
        var head = (ushort)0;
        var flag = rx ? Write : (ushort)0;
        var room = ring.Ram.Allocate(128 * 1024, 4096);
        var table = (RingDescriptor*)ring.Ram.Allocate(512 * sizeof(RingDescriptor), 64);
        switch (lie)
        {
            case "loop":
                ring.Describe(0, room, 100, (ushort)(flag | Next), 1);
                ring.Describe(1, room, 100, (ushort)(flag | Next), 0);
                break;
            case "long loop":
                for (var i = 0; i < ring.Size; i++) ring.DescribeRaw(i, 0, 0, (ushort)(flag | Next), (ushort)((i + 1) % ring.Size));
                break;
            case "head outside": head = (ushort)ring.Size; break;
            case "next outside": ring.Describe(0, room, 100, (ushort)(flag | Next), (ushort)ring.Size); break;
            case "address outside": ring.DescribeRaw(0, 0x10, 100, flag, 0); break;
            case "address wraps": ring.DescribeRaw(0, ulong.MaxValue - 50, 100, flag, 0); break;
            case "length outside": ring.DescribeRaw(0, ring.Ram.ToGuest(room), uint.MaxValue, flag, 0); break;
            case "index jumps": index += (ushort)(ring.Size + 5); break;
            case "index runs back": index -= 2; break;
            case "nested indirect":
                ring.Describe(0, table, 32, Indirect);
                table[0] = new RingDescriptor { Address = ring.Ram.ToGuest(table), Length = 32, Flags = Indirect };
                break;
            case "odd indirect": ring.Describe(0, table, 33, Indirect); break;
            case "empty indirect": ring.Describe(0, table, 0, Indirect); break;
            case "indirect outside": ring.DescribeRaw(0, 0x20, 32, Indirect, 0); break;
            case "indirect and next": ring.Describe(0, table, 32, Indirect | Next, 1); break;
            case "readable after writable":
                ring.Describe(0, room, 100, Write | Next, 1);
                ring.Describe(1, room, 100, 0);
                break;
            default: TellOfFrame(lie, room, table); break;
        }
        ring.AvailEntry(index - (lie.StartsWith("index", StringComparison.Ordinal) ? 1 : 0)) = head;
        ring.PublishAvail((ushort)(lie.StartsWith("index", StringComparison.Ordinal) ? index : index + 1));
        kick.Signal();
    }

    /// <summary>SET_VRING_ADDR of ring 1 with used rings that are nowhere, at the end of all addresses, or half outside.</summary>
    public static IReadOnlyList<byte[]> UsedRingsOutside(RawRing ring)
    {
        var (descriptors, avail) = (Place(ring.Descriptors), Place(ring.Avail));
        return [.. Places(ring).Select(used => Message(descriptors, used, avail))];
    }

    private static byte[] Message(params ulong[] places)
    {
        var payload = new byte[40];
        payload[0] = 1;
        for (var i = 0; i < places.Length; i++) BitConverter.TryWriteBytes(payload.AsSpan(8 + (i * 8)), places[i]);
        return payload;
    }

    private static ulong[] Places(RawRing ring) => [0, ulong.MaxValue - 3, Place(ring.Ram.Base) + (ulong)ring.Ram.Size - 4];

    private static ulong Place(void* pointer) => (ulong)pointer;

    private void TellOfFrame(string lie, byte* room, RingDescriptor* table)
    {
        switch (lie)
        {
            case "writable frame": ring.Describe(0, room, 100, Write); break;
            case "header only": ring.Describe(0, room, 12, 0); break;
            case "empty descriptors":
                for (var i = 0; i < 8; i++) ring.DescribeRaw(i, 0, 0, i < 7 ? Next : (ushort)0, (ushort)(i + 1));
                break;
            case "too long":
                ring.Describe(0, room, 100_000, 0);
                break;
            case "longer than the MTU": ring.Describe(0, room, 12 + 1519, 0); break;
            case "too many pieces":
                ring.Describe(0, table, 300 * sizeof(RingDescriptor), Indirect);
                for (var i = 0; i < 300; i++) table[i] = new RingDescriptor { Address = ring.Ram.ToGuest(room), Length = 1, Flags = i < 299 ? Next : (ushort)0, NextIndex = (ushort)(i + 1) };
                break;
            case "gso not negotiated":
                room[0] = 1;
                room[1] = 1;
                room[4] = 100;
                ring.Describe(0, room, 500, 0);
                break;
            case "checksum outside":
                room[0] = 1;
                room[7] = 0xff;
                ring.Describe(0, room, 500, 0);
                break;
            default: throw new ArgumentException(lie, nameof(lie));
        }
    }
}
