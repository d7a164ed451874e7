using System.Buffers.Binary;

namespace NicHost.Dio.Windows;

/// <summary>The tag of IEEE 802.1Q in a frame: four bytes behind the addresses, an ethertype and the tag control information.</summary>
internal static class VlanTag
{
    public const int At = 12;
    public const int Size = 4;
    private const ushort Customer = 0x8100;
    private const ushort Service = 0x88a8;

    public static bool IsTagged(ReadOnlySpan<byte> frame) => frame.Length >= At + 2 && BinaryPrimitives.ReadUInt16BigEndian(frame[At..]) is Customer or Service;

    /// <summary>Whether a frame has a customer's tag and is a frame without it; which one it is.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out ushort tci)
    {
        tci = 0;
        if (frame.Length < At + 2 + Size || BinaryPrimitives.ReadUInt16BigEndian(frame[At..]) != Customer) return false;
        tci = BinaryPrimitives.ReadUInt16BigEndian(frame[(At + 2)..]);
        return true;
    }
}
