using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>A network interface, as rtnetlink tells it.</summary>
public sealed record LinkInfo
{
    private const int FixedLength = 16;
    private const uint Up = 0x1;
    private const uint LowerUp = 0x1_0000;

    /// <summary>Its index.</summary>
    public required int Index { get; init; }

    /// <summary>IFF_UP: switched on by an administrator.</summary>
    public required bool IsUp { get; init; }

    /// <summary>IFF_LOWER_UP: it has a carrier.</summary>
    public required bool HasCarrier { get; init; }

    /// <summary>Its name.</summary>
    public string Name { get; private set; } = "";

    /// <summary>What made it: <c>bridge</c>, <c>tun</c> (TAPs too), <c>veth</c>; empty for hardware.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>The MTU in bytes.</summary>
    public int Mtu { get; private set; }

    /// <summary>The index of the bridge (or bond, or Open vSwitch) that it is a port of; 0 for none.</summary>
    public int Master { get; private set; }

    /// <summary>A text that an administrator gave it.</summary>
    public string Alias { get; private set; } = "";

    /// <summary>Its hardware address as a number, first byte on the wire in bits 47 to 40; 0 when it has none of six bytes.</summary>
    public ulong Mac { get; private set; }

    /// <summary>Of a bridge: whether it keeps VLANs apart.</summary>
    public bool FiltersVlans { get; private set; }

    /// <summary>What a TUN or TAP tells beyond.</summary>
    public TunInfo? Tun { get; private set; }

    /// <summary>Reads the body of an RTM_NEWLINK or RTM_DELLINK.</summary>
    /// <param name="body">What follows the message's header.</param>
    /// <returns>Null when it is too short.</returns>
    public static LinkInfo? Read(ReadOnlySpan<byte> body)
    {
        if (body.Length < FixedLength) return null;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
        LinkInfo link = new()
        {
            Index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
            IsUp = (flags & Up) != 0,
            HasCarrier = (flags & LowerUp) != 0,
        };
        NetlinkAttributes attributes = new(body[FixedLength..]);
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case Rtnl.IflaAddress when attributes.Data.Length == 6:
                    link.Mac = ((ulong)BinaryPrimitives.ReadUInt16BigEndian(attributes.Data) << 32) | BinaryPrimitives.ReadUInt32BigEndian(attributes.Data[2..]);
                    break;
                case Rtnl.IflaName: link.Name = attributes.Text; break;
                case Rtnl.IflaMtu: link.Mtu = (int)attributes.Number; break;
                case Rtnl.IflaMaster: link.Master = (int)attributes.Number; break;
                case Rtnl.IflaAlias: link.Alias = attributes.Text; break;
                case Rtnl.IflaInfo: link.ReadInfo(attributes.Data); break;
            }
        }
        return link;
    }

    private void ReadInfo(ReadOnlySpan<byte> info)
    {
        NetlinkAttributes attributes = new(info);
        while (attributes.MoveNext())
        {
            if (attributes.Type == Rtnl.InfoKind) Kind = attributes.Text;
            else if (attributes.Type == Rtnl.InfoData && Kind == "tun") Tun = TunInfo.Read(attributes.Data);
            else if (attributes.Type == Rtnl.InfoData && Kind == "bridge") ReadBridge(attributes.Data);
        }
    }

    private void ReadBridge(ReadOnlySpan<byte> data)
    {
        NetlinkAttributes attributes = new(data);
        while (attributes.MoveNext())
        {
            if (attributes.Type == Rtnl.BridgeVlanFiltering) FiltersVlans = attributes.Number != 0;
        }
    }
}

/// <summary>What a TUN or TAP interface tells of itself.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct TunInfo
{
    /// <summary>Whether it carries Ethernet frames (a TAP), not IP packets (a TUN).</summary>
    public bool IsTap { get; private init; }

    /// <summary>Who may open it without privilege; null for nobody in particular.</summary>
    public uint? Owner { get; private init; }

    /// <summary>Whose members may open it without privilege; null for none in particular.</summary>
    public uint? Group { get; private init; }

    /// <summary>Whether it outlives those who opened it.</summary>
    public bool IsPersistent { get; private init; }

    /// <summary>Whether it takes several queues.</summary>
    public bool IsMultiQueue { get; private init; }

    /// <summary>Queues that are open, detached ones included. Told of a TAP of several queues only.</summary>
    public int Queues { get; private init; }

    internal static TunInfo Read(ReadOnlySpan<byte> data)
    {
        TunInfo info = default;
        NetlinkAttributes attributes = new(data);
        while (attributes.MoveNext())
        {
            info = attributes.Type switch
            {
                1 => info with { Owner = attributes.Number },
                2 => info with { Group = attributes.Number },
                3 => info with { IsTap = attributes.Number == 2 },
                6 => info with { IsPersistent = attributes.Number != 0 },
                7 => info with { IsMultiQueue = attributes.Number != 0 },
                8 or 9 => info with { Queues = info.Queues + (int)attributes.Number },
                _ => info,
            };
        }
        return info;
    }
}
