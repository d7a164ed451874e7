using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;

namespace NicHost.NetVsp.Rndis;

/// <content>Queries: what Linux, DPDK, Windows and UEFI ask for.</content>
internal sealed partial class RndisControl
{
    private const int MaxGroups = 64;
    private const uint BufferSpace = 256 * 1024;

    // Bytes are copied for lookahead, transfers do not pend, no loopback, 802.1P, 802.1Q.
    private const uint MacOptions = 0x1 | 0x2 | 0x8 | 0x40 | 0x200;
    private const byte ObjectDefault = 0x80;
    private const byte ObjectRssCapabilities = 0x88;

    private static readonly Oid[] s_all = Enum.GetValues<Oid>();

    private bool TryQuery(Oid oid, uint room, ref InfoWriter answer)
    {
        switch (oid)
        {
            case Oid.GenSupportedList:
                foreach (var one in s_all) answer.U32((uint)one);
                return true;
            case Oid.GenHardwareStatus or Oid.GenMediaSupported or Oid.GenMediaInUse or Oid.GenPhysicalMedium: answer.U32(0); return true;
            case Oid.GenMaximumLookahead or Oid.GenCurrentLookahead or Oid.GenMaximumFrameSize: answer.U32((uint)_host.Mtu); return true;
            case Oid.GenMaximumTotalSize or Oid.GenTransmitBlockSize or Oid.GenReceiveBlockSize:
                answer.U32((uint)_host.Mtu + FrameLimits.EthernetHeader);
                return true;
            case Oid.GenLinkSpeed: answer.U32(LinkSpeed(_host.Link)); return true;
            case Oid.GenTransmitBufferSpace or Oid.GenReceiveBufferSpace: answer.U32(BufferSpace); return true;
            // Locally administered: nobody's.
            case Oid.GenVendorId: answer.U32(0xffff_ff); return true;
            case Oid.GenVendorDescription: answer.Raw("NicHost\0"u8); return true;
            case Oid.GenFriendlyName: answer.Raw("N\0e\0t\0w\0o\0r\0k\0\0\0"u8); return true;
            case Oid.GenCurrentPacketFilter: answer.U32((uint)Settings.Filter); return true;
            case Oid.GenDriverVersion or Oid.GenVendorDriverVersion: answer.U32(0x0100); return true;
            case Oid.GenMacOptions: answer.U32(MacOptions); return true;
            case Oid.GenMediaConnectStatus: answer.U32(_host.Link.IsUp ? 0u : 1u); return true;
            case Oid.GenMaximumSendPackets: answer.U32(uint.MaxValue); return true;
            case Oid.GenMaxLinkSpeed:
                answer.U64(BitsPerSecond(_host.Link));
                answer.U64(BitsPerSecond(_host.Link));
                return true;
            case Oid.GenLinkState: WriteLinkState(ref answer); return true;
            case Oid.EthPermanentAddress: WriteMac(_host.Mac, ref answer); return true;
            case Oid.EthCurrentAddress: WriteMac(Settings.IsUp ? Settings.Mac : _host.Mac, ref answer); return true;
            case Oid.EthMaximumListSize: answer.U32(MaxGroups); return true;
            case Oid.EthMulticastList:
                foreach (var group in Settings.Multicast) WriteMac(group, ref answer);
                return true;
            case Oid.EthRcvErrorAlignment or Oid.EthXmitOneCollision or Oid.EthXmitMoreCollisions: answer.Counter(0, room); return true;
            case Oid.OffloadEncapsulation:
                // Type, revision, size; 802.3 with headers of 14 bytes, for both IP versions.
                answer.Object(ObjectDefault, 1, 28);
                foreach (var value in (ReadOnlySpan<uint>)[2, 2, 14, 2, 2, 14]) answer.U32(value);
                return true;
            case Oid.GenReceiveScaleCapabilities: WriteRssCapabilities(ref answer); return true;
            case Oid.TcpOffloadHardwareCapabilities: WriteOffloads(Offer, ref answer); return true;
            case Oid.TcpOffloadCurrentConfig: WriteOffloads(new OffloadOffer(Settings.TxOffloads, Settings.RxOffloads), ref answer); return true;
            default: return TryQueryStatistics(oid, room, ref answer);
        }
    }

    private bool TryQueryStatistics(Oid oid, uint room, ref InfoWriter answer)
    {
        switch (oid)
        {
            case Oid.GenXmitOk: answer.Counter(Sum(c => c.TxFrames), room); return true;
            case Oid.GenRcvOk: answer.Counter(Sum(c => c.RxFrames), room); return true;
            case Oid.GenXmitError: answer.Counter(Sum(TxDrops), room); return true;
            case Oid.GenRcvError: answer.Counter(0, room); return true;
            case Oid.GenRcvNoBuffer: answer.Counter(Sum(c => c.RxDropped(DropReason.NoBuffer)), room); return true;
            case Oid.GenBytesRcv: answer.Counter(Sum(c => c.RxBytes), room); return true;
            case Oid.GenBytesXmit: answer.Counter(Sum(c => c.TxBytes), room); return true;
            case Oid.GenStatistics: WriteStatistics(ref answer); return true;
            default: return false;
        }
    }

    private void WriteStatistics(ref InfoWriter answer)
    {
        const int Size = 152;
        // In: discards, errors, octets, unicast frames; out: octets, unicast frames, errors, discards. Frames are not told apart by address.
        const uint Supported = 0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x800;
        answer.Object(ObjectDefault, 1, Size);
        answer.U32(Supported);
        answer.U64(Sum(c => c.RxDropped(DropReason.NoBuffer)));
        answer.U64(0);
        answer.U64(Sum(c => c.RxBytes));
        answer.U64(Sum(c => c.RxFrames));
        answer.Zeros(16);
        answer.U64(Sum(c => c.TxBytes));
        answer.U64(Sum(c => c.TxFrames));
        answer.Zeros(16);
        answer.U64(0);
        answer.U64(Sum(TxDrops));
        answer.Zeros(48);
    }

    private void WriteLinkState(ref InfoWriter answer)
    {
        const int Size = 40;
        var link = _host.Link;
        answer.Object(ObjectDefault, 1, Size);
        answer.U32(link.IsUp ? 1u : 2u);
        answer.U32(link.IsUp ? 2u : 0u);
        answer.U32(0);
        answer.U64(BitsPerSecond(link));
        answer.U64(BitsPerSecond(link));
        answer.Zeros(8);
    }

    private void WriteRssCapabilities(ref InfoWriter answer)
    {
        // Toeplitz over addresses and TCP ports of both IP versions.
        const uint Toeplitz = 0x1;
        const uint Tcp = 0x100 | 0x200 | 0x400;
        const int Size = 18;
        answer.Object(ObjectRssCapabilities, 2, Size);
        answer.U32(Toeplitz | Tcp);
        answer.U32((uint)_host.MaxQueues);
        answer.U32((uint)_host.MaxQueues);
        answer.U16(RssTable.MaxEntries);
    }

    private long Sum(Func<QueueCounters, long> value)
    {
        long sum = 0;
        for (var i = 0; i < _host.MaxQueues; i++) sum += value(_host.Counters(i));
        return sum;
    }

    private static long TxDrops(QueueCounters counters)
    {
        long sum = 0;
        foreach (var reason in Enum.GetValues<DropReason>()) sum += counters.TxDropped(reason);
        return sum;
    }

    private static long BitsPerSecond(LinkState link) => link.SpeedMbps * 1_000_000L;

    private static void WriteMac(MacAddress mac, ref InfoWriter answer) => mac.CopyTo(answer.Zeros(MacAddress.Size));
}
