using System.Buffers.Binary;
using NicHost.Contracts.Nics;

namespace Samples.Switch.Tests.Rig;

/// <summary>Frames whose addresses and content the test can tell apart.</summary>
internal static class Frames
{
    public static MacAddress Broadcast { get; } = new([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

    public static MacAddress Address(byte number) => new([0x02, 0, 0, 0, 0, number]);

    public static byte[] Of(MacAddress to, MacAddress from, int length = 60, int number = 0, ushort type = 0x88b5)
    {
        var frame = new byte[length];
        to.CopyTo(frame);
        from.CopyTo(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        for (var i = 14; i < length; i++) frame[i] = (byte)(number + (i * 7));
        return frame;
    }

    /// <summary>The same with an 802.1Q tag in line.</summary>
    public static byte[] Tagged(MacAddress to, MacAddress from, ushort tci)
    {
        var frame = Of(to, from, 64, type: 0x8100);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), tci);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(16), 0x88b5);
        return frame;
    }
}
