using System.Buffers.Binary;
using System.Runtime.InteropServices;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Net;

namespace NicHost.NetVsp.Rndis;

/// <content>What a guest sets.</content>
internal sealed partial class RndisControl
{
    private uint TrySet(Oid oid, ReadOnlySpan<byte> value)
    {
        if (!Settings.IsUp) return RndisFormat.Failure;
        return oid switch
        {
            Oid.GenCurrentPacketFilter => SetFilter(value),
            Oid.EthMulticastList => SetMulticast(value),
            Oid.GenReceiveScaleParameters => SetRss(value),
            Oid.TcpOffloadParameters => SetOffloads(value),
            Oid.GenRndisConfigParameter => SetParameter(value),
            // 802.3 is what there is; how far a protocol looks ahead and which addresses it has are its own affair.
            Oid.OffloadEncapsulation or Oid.GenCurrentLookahead or Oid.GenNetworkLayerAddresses => RndisFormat.Success,
            _ => RndisFormat.NotSupported,
        };
    }

    private uint SetFilter(ReadOnlySpan<byte> value)
    {
        if (value.Length < 4) return RndisFormat.InvalidData;
        Set(Settings with { Filter = (PacketFilter)U32(value, 0) });
        return RndisFormat.Success;
    }

    private uint SetMulticast(ReadOnlySpan<byte> value)
    {
        if (value.Length % MacAddress.Size != 0 || value.Length / MacAddress.Size > MaxGroups) return RndisFormat.InvalidData;
        var groups = new MacAddress[value.Length / MacAddress.Size];
        for (var i = 0; i < groups.Length; i++) groups[i] = new MacAddress(value.Slice(i * MacAddress.Size, MacAddress.Size));
        Set(Settings with { Multicast = groups });
        return RndisFormat.Success;
    }

    private uint SetRss(ReadOnlySpan<byte> value)
    {
        const int FixedSize = 28;
        const uint Toeplitz = 1;
        if (value.Length < FixedSize) return RndisFormat.InvalidData;
        var flags = (RssFlags)BinaryPrimitives.ReadUInt16LittleEndian(value[4..]);
        var hash = U32(value, 8);
        var before = Settings.Rss;
        if ((flags & RssFlags.Disable) != 0 || (hash & 0xff) == 0 && (flags & RssFlags.HashUnchanged) == 0)
        {
            Set(Settings with { Rss = null });
            return RndisFormat.Success;
        }
        var types = (flags & RssFlags.HashUnchanged) != 0 && before is not null ? before.Types : (RssHashTypes)(hash & ~0xffu);
        if ((flags & RssFlags.HashUnchanged) == 0 && (hash & 0xff) != Toeplitz) return RndisFormat.InvalidData;
        var channels = (flags & RssFlags.TableUnchanged) != 0 ? before?.Channels : ReadTable(Part(value, BinaryPrimitives.ReadUInt16LittleEndian(value[12..]), U32(value, 16)));
        var key = (flags & RssFlags.KeyUnchanged) != 0 ? before?.Key : ReadKey(Part(value, BinaryPrimitives.ReadUInt16LittleEndian(value[20..]), U32(value, 24)));
        if (channels is null || key is null) return RndisFormat.InvalidData;
        Set(Settings with { Rss = new RssTable(key, types, channels) });
        return RndisFormat.Success;
    }

    /// <summary>The channels' indexes; null when the table is not one.</summary>
    private byte[]? ReadTable(ReadOnlySpan<byte> bytes)
    {
        var entries = MemoryMarshal.Cast<byte, uint>(bytes);
        if (entries.Length is 0 or > RssTable.MaxEntries || bytes.Length % 4 != 0) return null;
        var channels = new byte[entries.Length];
        for (var i = 0; i < entries.Length; i++)
        {
            if (entries[i] >= (uint)_host.MaxQueues) return null;
            channels[i] = (byte)entries[i];
        }
        return channels;
    }

    private static byte[]? ReadKey(ReadOnlySpan<byte> bytes) => bytes.Length == RssTable.KeySize ? bytes.ToArray() : null;

    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> value, int length, uint offset) =>
        offset <= (uint)value.Length && length <= value.Length - (int)offset ? value.Slice((int)offset, length) : [];

    /// <summary>A parameter of a network card by name, as Linux sets a new address.</summary>
    private uint SetParameter(ReadOnlySpan<byte> value)
    {
        const uint TypeString = 2;
        if (value.Length < 20) return RndisFormat.InvalidData;
        var name = Text(Part(value, (int)Math.Min(U32(value, 4), (uint)value.Length), U32(value, 0)));
        var text = Text(Part(value, (int)Math.Min(U32(value, 16), (uint)value.Length), U32(value, 12)));
        if (name != "NetworkAddress") return RndisFormat.NotSupported;
        if (U32(value, 8) != TypeString || text.Length != 12 || !text.All(char.IsAsciiHexDigit)) return RndisFormat.InvalidData;
        var mac = new MacAddress(Convert.FromHexString(text));
        if (mac.IsGroup || mac.IsZero) return RndisFormat.InvalidData;
        Set(Settings with { Mac = mac });
        return RndisFormat.Success;
    }

    private static string Text(ReadOnlySpan<byte> utf16) => System.Text.Encoding.Unicode.GetString(utf16).TrimEnd('\0');

    [Flags]
    private enum RssFlags : ushort
    {
        None = 0,
        HashUnchanged = 2,
        TableUnchanged = 4,
        KeyUnchanged = 8,
        Disable = 0x10,
    }
}
