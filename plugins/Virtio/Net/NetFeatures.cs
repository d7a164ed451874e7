using NicHost.Contracts.Frames;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Net;

/// <summary>Feature bits of a network device (virtio 1.2, 5.1.3 and 6) and the one that vhost-user adds.</summary>
[Flags]
internal enum NetFeatures : ulong
{
    None = 0,
    Csum = 1ul << 0,
    GuestCsum = 1ul << 1,
    CtrlGuestOffloads = 1ul << 2,
    Mtu = 1ul << 3,
    Mac = 1ul << 5,
    GuestTso4 = 1ul << 7,
    GuestTso6 = 1ul << 8,
    GuestEcn = 1ul << 9,
    GuestUfo = 1ul << 10,
    HostTso4 = 1ul << 11,
    HostTso6 = 1ul << 12,
    HostEcn = 1ul << 13,
    HostUfo = 1ul << 14,
    MrgRxbuf = 1ul << 15,
    Status = 1ul << 16,
    CtrlVq = 1ul << 17,
    CtrlRx = 1ul << 18,
    Mq = 1ul << 22,
    CtrlMacAddr = 1ul << 23,
    /// <summary>Legacy: descriptors may be laid out freely.</summary>
    AnyLayout = 1ul << 27,
    IndirectDesc = 1ul << 28,
    EventIdx = 1ul << 29,
    /// <summary>vhost-user: protocol features can be negotiated, rings start disabled. Never shown to a guest.</summary>
    ProtocolFeatures = 1ul << 30,
    Version1 = 1ul << 32,
    InOrder = 1ul << 35,
    GuestUso4 = 1ul << 54,
    GuestUso6 = 1ul << 55,
    HostUso = 1ul << 56,
    SpeedDuplex = 1ul << 63,
}

/// <summary>Feature bits from an endpoint's abilities, and back.</summary>
internal static class NetFeatureMap
{
    private const NetFeatures Always = NetFeatures.Mtu | NetFeatures.Mac | NetFeatures.MrgRxbuf | NetFeatures.Status | NetFeatures.CtrlVq
        | NetFeatures.CtrlRx | NetFeatures.CtrlMacAddr | NetFeatures.AnyLayout | NetFeatures.IndirectDesc | NetFeatures.EventIdx
        | NetFeatures.ProtocolFeatures | NetFeatures.Version1 | NetFeatures.InOrder | NetFeatures.SpeedDuplex;

    /// <summary>What to offer for an endpoint that takes <paramref name="tx"/> from the guest and gives it <paramref name="rx"/>.</summary>
    public static NetFeatures Offer(OffloadSet tx, OffloadSet rx, int queues)
    {
        var offer = Always;
        if (queues > 1) offer |= NetFeatures.Mq;
        if (tx.HasFlag(OffloadSet.Checksum))
        {
            offer |= NetFeatures.Csum;
            if (tx.HasFlag(OffloadSet.TsoV4)) offer |= NetFeatures.HostTso4;
            if (tx.HasFlag(OffloadSet.TsoV6)) offer |= NetFeatures.HostTso6;
            if (tx.HasFlag(OffloadSet.TsoEcn) && (tx & (OffloadSet.TsoV4 | OffloadSet.TsoV6)) != 0) offer |= NetFeatures.HostEcn;
            if (tx.HasFlag(OffloadSet.UsoV4 | OffloadSet.UsoV6)) offer |= NetFeatures.HostUso;
        }
        if (rx.HasFlag(OffloadSet.Checksum))
        {
            offer |= NetFeatures.GuestCsum;
            if (rx.HasFlag(OffloadSet.TsoV4)) offer |= NetFeatures.GuestTso4;
            if (rx.HasFlag(OffloadSet.TsoV6)) offer |= NetFeatures.GuestTso6;
            if (rx.HasFlag(OffloadSet.TsoEcn) && (rx & (OffloadSet.TsoV4 | OffloadSet.TsoV6)) != 0) offer |= NetFeatures.GuestEcn;
            if (rx.HasFlag(OffloadSet.UsoV4)) offer |= NetFeatures.GuestUso4;
            if (rx.HasFlag(OffloadSet.UsoV6)) offer |= NetFeatures.GuestUso6;
        }
        return offer;
    }

    /// <summary>
    /// What a guest accepted to receive. Bits whose prerequisite it did not accept count for nothing (5.1.3.1).
    /// </summary>
    public static OffloadSet Received(NetFeatures accepted)
    {
        if (!accepted.HasFlag(NetFeatures.GuestCsum)) return OffloadSet.None;
        var set = OffloadSet.Checksum;
        if (accepted.HasFlag(NetFeatures.GuestTso4)) set |= OffloadSet.TsoV4;
        if (accepted.HasFlag(NetFeatures.GuestTso6)) set |= OffloadSet.TsoV6;
        if (accepted.HasFlag(NetFeatures.GuestEcn) && (set & (OffloadSet.TsoV4 | OffloadSet.TsoV6)) != 0) set |= OffloadSet.TsoEcn;
        if (accepted.HasFlag(NetFeatures.GuestUso4)) set |= OffloadSet.UsoV4;
        if (accepted.HasFlag(NetFeatures.GuestUso6)) set |= OffloadSet.UsoV6;
        return set;
    }

    public static RingFeatures Ring(NetFeatures accepted) =>
        (accepted.HasFlag(NetFeatures.IndirectDesc) ? RingFeatures.Indirect : 0)
        | (accepted.HasFlag(NetFeatures.EventIdx) ? RingFeatures.EventIndex : 0)
        | (accepted.HasFlag(NetFeatures.InOrder) ? RingFeatures.InOrder : 0);

    /// <summary>The names of the bits, as inspect shows them.</summary>
    public static string Names(NetFeatures features)
    {
        if (features == 0) return "none";
        var names = new List<string>();
        for (var bit = 0; bit < 64; bit++)
        {
            var one = (NetFeatures)(1ul << bit);
            if ((features & one) != 0) names.Add(Enum.GetName(one) ?? $"bit{bit}");
        }
        return string.Join(' ', names);
    }
}
