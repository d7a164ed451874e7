using System.Buffers.Binary;
using NicHost.Contracts.Frames;

namespace NicHost.NetVsp.Rndis;

/// <summary>Abilities in both directions, in the contract's terms.</summary>
internal readonly record struct OffloadOffer(OffloadSet Tx, OffloadSet Rx);

/// <content>NDIS's offloads and the contract's.</content>
internal sealed partial class RndisControl
{
    private const byte ObjectOffload = 0xA7;
    private const uint Encapsulation8023 = 2;

    // With IP options, TCP options, TCP, UDP, and (version 4) the IP header itself.
    private const uint ChecksumsV4 = 0x155;
    private const uint ChecksumsV6 = 0x55;
    private const uint LargeSendMaximum = 62780;
    private const uint LargeSendOptionsV6 = 0x1 | 0x4;

    // Offsets in NDIS_OFFLOAD.
    private const int ChecksumAt = 4;
    private const int LargeSendAt = 80;
    private const int RscAt = 144;

    /// <summary>What this guest may be offered on this endpoint.</summary>
    private OffloadOffer Offer
    {
        get
        {
            var (tx, rx) = (_host.Endpoint.TxAccepts, _host.Endpoint.RxGives);
            var offered = OffloadSet.None;
            if (tx.Has(OffloadSet.Checksum)) offered = tx & (OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6);
            // Tags and the IP header's sum are done here where the endpoint does not take them.
            var received = rx & OffloadSet.Vlan;
            if (rx.Has(OffloadSet.Checksum)) received |= OffloadSet.Checksum;
            if (_canMerge && rx.Has(OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6))
                received |= rx & (OffloadSet.TsoV4 | OffloadSet.TsoV6 | OffloadSet.TsoEcn);
            return new OffloadOffer(offered, received);
        }
    }

    private void WriteOffloads(OffloadOffer offer, ref InfoWriter answer)
    {
        // NDIS 6.0, 6.1 and 6.30 know ever more; each driver takes its own length only.
        var (revision, size) = (_ndisVersion >> 16, _ndisVersion & 0xffff) switch
        {
            (6, 0) => (1, 112),
            (6, < 30) => (2, 144),
            _ => (3, 156),
        };
        answer.Object(ObjectOffload, (byte)revision, size);
        var body = answer.Zeros(size - ChecksumAt);
        var v4 = offer.Tx.Has(OffloadSet.Checksum);
        WritePair(body, 0, v4, ChecksumsV4);
        WritePair(body, 8, offer.Rx.Has(OffloadSet.Checksum), ChecksumsV4);
        WritePair(body, 16, v4, ChecksumsV6);
        WritePair(body, 24, offer.Rx.Has(OffloadSet.Checksum), ChecksumsV6);
        const int LargeSend = LargeSendAt - ChecksumAt;
        if (offer.Tx.Has(OffloadSet.TsoV4)) WriteLargeSend(body[LargeSend..]);
        if (offer.Tx.Has(OffloadSet.TsoV6))
        {
            WriteLargeSend(body[(LargeSend + 12)..]);
            BinaryPrimitives.WriteUInt32LittleEndian(body[(LargeSend + 24)..], LargeSendOptionsV6);
        }
        if (size <= RscAt) return;
        body[RscAt - ChecksumAt] = offer.Rx.Has(OffloadSet.TsoV4) ? (byte)1 : (byte)0;
        body[RscAt - ChecksumAt + 1] = offer.Rx.Has(OffloadSet.TsoV6) ? (byte)1 : (byte)0;
    }

    private static void WritePair(Span<byte> body, int at, bool can, uint kinds)
    {
        if (!can) return;
        BinaryPrimitives.WriteUInt32LittleEndian(body[at..], Encapsulation8023);
        BinaryPrimitives.WriteUInt32LittleEndian(body[(at + 4)..], kinds);
    }

    private static void WriteLargeSend(Span<byte> body)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(body, Encapsulation8023);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], LargeSendMaximum);
        // At least two segments.
        BinaryPrimitives.WriteUInt32LittleEndian(body[8..], 2);
    }

    /// <summary>OID_TCP_OFFLOAD_PARAMETERS: one byte for each kind; 0 leaves it as it is.</summary>
    private uint SetOffloads(ReadOnlySpan<byte> value)
    {
        const int ShortSize = 15;
        const int RscV4At = 22;
        if (value.Length < ShortSize) return RndisFormat.InvalidData;
        var offer = Offer;
        var (tx, rx) = (Settings.TxOffloads, Settings.RxOffloads);
        // TCP and UDP of both versions: the contract has one switch for all.
        byte transmit = 0, receive = 0;
        for (var i = 5; i <= 8; i++) Merge(value[i], ref transmit, ref receive);
        Switch(ref tx, transmit, offer.Tx & OffloadSet.Checksum);
        Switch(ref rx, receive, offer.Rx & OffloadSet.Checksum);
        Switch(ref tx, value[11], offer.Tx & OffloadSet.TsoV4);
        Switch(ref tx, value[12], offer.Tx & OffloadSet.TsoV6);
        if (value.Length >= RscV4At + 2)
        {
            // Both versions or none: an endpoint's super-frames come in both.
            var both = (byte)(value[RscV4At] == 2 && value[RscV4At + 1] == 2 ? 2 : Math.Min(value[RscV4At], value[RscV4At + 1]));
            Switch(ref rx, both, offer.Rx & (OffloadSet.TsoV4 | OffloadSet.TsoV6 | OffloadSet.TsoEcn));
        }
        if (!tx.Has(OffloadSet.Checksum)) tx &= ~OffloadSet.AllGso;
        if (!rx.Has(OffloadSet.Checksum)) rx &= ~OffloadSet.AllGso;
        rx |= offer.Rx & OffloadSet.Vlan;
        Set(Settings with { TxOffloads = tx, RxOffloads = rx });
        return RndisFormat.Success;
    }

    /// <summary>1: neither direction, 2: transmit, 3: receive, 4: both. Any that is on counts.</summary>
    private static void Merge(byte setting, ref byte transmit, ref byte receive)
    {
        if (setting is 0 or > 4) return;
        transmit = setting is 2 or 4 ? (byte)2 : Math.Max(transmit, (byte)1);
        receive = setting is 3 or 4 ? (byte)2 : Math.Max(receive, (byte)1);
    }

    private static void Switch(ref OffloadSet set, byte setting, OffloadSet which)
    {
        if (setting == 1) set &= ~which;
        else if (setting == 2) set |= which;
    }
}
