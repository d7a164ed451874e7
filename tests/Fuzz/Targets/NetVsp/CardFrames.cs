using System.Buffers.Binary;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>Frames as a driver sends them: in a section of the send buffer or in pages, with what it leaves to the host.</summary>
internal static unsafe class CardFrames
{
    // What per-packet information an input asks for.
    private const byte Checksum = 1;
    private const byte LargeSend = 2;
    private const byte Tag = 4;
    private const byte Hash = 8;
    private const byte IpHeader = 16;

    /// <summary>A frame in the send buffer.</summary>
    public static void InSection(ScriptedCard card, int channel, byte kind, byte wishes) =>
        card.Rndis(channel, 0, Message(Make(kind), kind, wishes) is var message && message.Length > 4096 ? message[..4096] : message, 1 + (kind & 7));

    /// <summary>A frame in pages, cut where the input says.</summary>
    public static void InPages(ScriptedCard card, BusMemory memory, int channel, byte kind, byte wishes, byte cut)
    {
        var message = Message(Make(kind), kind, wishes);
        // The first range ends where the input says, the second starts in a page of its own.
        var first = Math.Min(message.Length, 44 + cut);
        memory.Write(BusMemory.FramesFirst * BusMemory.PageSize, message.AsSpan(0, first));
        for (var at = first; at < message.Length; at += 4096)
            memory.Write((uint)((BusMemory.FramesFirst + 2) * BusMemory.PageSize + (at - first)), message.AsSpan(at, Math.Min(4096, message.Length - at)));
        var rest = message.Length - first;
        var ranges = new List<byte>(VmbusClient.Words(0, rest > 0 ? 2u : 1u, (uint)first, 0));
        ranges.AddRange(BitConverter.GetBytes(BusMemory.Frame(BusMemory.FramesFirst)));
        if (rest > 0)
        {
            ranges.AddRange(VmbusClient.Words((uint)rest, 0));
            for (var page = 0; page * 4096 < rest; page++) ranges.AddRange(BitConverter.GetBytes(BusMemory.Frame(BusMemory.FramesFirst + 2 + page)));
        }
        card.Write(channel, 9, true, [.. ranges], VmbusClient.Words(107, 0, 0xffff_ffff, 0, 0, 0, 0, 0, 0, 0));
    }

    private static byte[] Make(byte kind) => (kind & 7) switch
    {
        0 => GuestFrames.Arp(),
        1 => GuestFrames.Tcp4(0x18, new byte[kind]),
        2 => GuestFrames.Udp4(7, new byte[kind]),
        3 => GuestFrames.Udp6(7, new byte[kind]),
        4 => GuestFrames.Tcp4(0x18, new byte[3000]),
        5 => GuestFrames.Tcp4(0x10, new byte[kind * 200]),
        6 => new byte[kind],
        _ => GuestFrames.Echo6(),
    };

    private static byte[] Message(byte[] frame, byte kind, byte wishes)
    {
        var information = new List<byte>();
        var isV6 = frame.Length > 12 && frame[12] == 0x86;
        var transport = isV6 ? 54u : 34u;
        if ((wishes & (Checksum | IpHeader)) != 0)
            Add(0, (isV6 ? 2u : 1u) | ((wishes & Checksum) == 0 ? 0 : (kind & 7) is 2 or 3 ? 8u : 4u) | ((wishes & IpHeader) == 0 ? 0 : 0x10u) | (transport << 16));
        if ((wishes & LargeSend) != 0) Add(2, 1000 | (transport << 20) | (1u << 30) | (isV6 ? 1u << 31 : 0));
        if ((wishes & Tag) != 0) Add(6, 0x1235);
        if ((wishes & Hash) != 0) Add(8, 1);
        var message = new byte[44 + information.Count + frame.Length];
        VmbusClient.Words(1, (uint)message.Length, (uint)(36 + information.Count), (uint)frame.Length, 0, 0, 0, information.Count > 0 ? 36u : 0, (uint)information.Count, 0, 0).CopyTo(message, 0);
        information.CopyTo(message, 44);
        frame.CopyTo(message, 44 + information.Count);
        return message;

        void Add(uint type, uint value)
        {
            Span<byte> one = stackalloc byte[16];
            foreach (var (i, word) in new[] { 16u, type, 12u, value }.Index()) BinaryPrimitives.WriteUInt32LittleEndian(one[(4 * i)..], word);
            information.AddRange(one);
        }
    }
}
