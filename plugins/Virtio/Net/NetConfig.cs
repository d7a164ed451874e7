using System.Buffers.Binary;
using NicHost.Contracts.Nics;

namespace NicHost.Virtio.Net;

/// <summary>The device's configuration space (virtio 1.2, 5.1.4). Read by front-ends that leave it to us; UML does.</summary>
internal sealed class NetConfig(MacAddress mac, int mtu, int queues)
{
    /// <summary>Bytes of <c>struct virtio_net_config</c>.</summary>
    public const int Size = 24;

    private const int StatusAt = 6;
    private const int PairsAt = 8;
    private const int MtuAt = 10;
    private const int SpeedAt = 12;
    private const int DuplexAt = 16;
    private const ushort StatusLinkUp = 1;
    private const uint SpeedUnknown = 0xffff_ffff;
    private const byte DuplexFull = 1;
    private const byte DuplexUnknown = 0xff;

    /// <summary>The link that the guest sees.</summary>
    public LinkState Link { get; set; }

    /// <summary>Whether whoever reads so many bytes at <paramref name="offset"/> learns the link's state.</summary>
    public static bool IncludesStatus(int offset, int size) => offset <= StatusAt && offset + size >= StatusAt + 2;

    /// <summary>Copies the bytes from <paramref name="offset"/> on; beyond the structure there are zeros.</summary>
    public void Read(int offset, Span<byte> destination)
    {
        Span<byte> config = stackalloc byte[Size];
        config.Clear();
        mac.CopyTo(config);
        BinaryPrimitives.WriteUInt16LittleEndian(config[StatusAt..], Link.IsUp ? StatusLinkUp : (ushort)0);
        BinaryPrimitives.WriteUInt16LittleEndian(config[PairsAt..], (ushort)queues);
        BinaryPrimitives.WriteUInt16LittleEndian(config[MtuAt..], (ushort)mtu);
        // 5.1.4: 0 to 0x7fffffff, or all ones for unknown.
        var isKnown = Link.SpeedMbps is > 0 and <= int.MaxValue;
        BinaryPrimitives.WriteUInt32LittleEndian(config[SpeedAt..], isKnown ? Link.SpeedMbps : SpeedUnknown);
        config[DuplexAt] = isKnown ? DuplexFull : DuplexUnknown;
        destination.Clear();
        if (offset < Size) config.Slice(offset, Math.Min(Size - offset, destination.Length)).CopyTo(destination);
    }
}
