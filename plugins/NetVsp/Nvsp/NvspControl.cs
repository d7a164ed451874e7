using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Rndis;

namespace NicHost.NetVsp.Nvsp;

/// <summary>
/// NVSP on the primary channel: version, buffers, subchannels, and RNDIS inside. On the first loop. A handler returns why the channel cannot go
/// on, or null: a guest that breaks the order of things has lost its way, and closes the channel to begin anew.
/// </summary>
internal sealed class NvspControl(INicHost host)
{
    private const int MinSections = 2 * NetQueue.ControlSections;
    private const int MaxSections = 16384;

    // A frame may come with a tag on top of the MTU.
    private const int FrameOverhead = RxPath.Headroom + FrameLimits.EthernetHeader + 4;
    private const int SmallSection = 2048;
    private const int MergingSection = 4096;
    private const int SectionAlignment = 128;

    private readonly RndisControl _rndis = new(host);
    private int _openSubchannels;

    /// <summary>The version agreed on; 0 before.</summary>
    public uint Version { get; private set; }

    /// <summary>The guest's NDIS version, major in the upper half.</summary>
    public uint NdisVersion { get; private set; }

    /// <summary>The guest's MTU with Ethernet header, as it said.</summary>
    public uint GuestMtu { get; private set; }

    /// <summary>Capability bits of the guest.</summary>
    public ulong Capabilities { get; private set; }

    /// <summary>Subchannels that were offered.</summary>
    public int Subchannels { get; private set; }

    /// <summary>The guest's buffers.</summary>
    public BufferSet Buffers { get; private set; } = BufferSet.None;

    public RndisControl Rndis => _rndis;

    /// <summary>The primary channel was opened, or closed: everything begins anew.</summary>
    public void Reset()
    {
        (Version, NdisVersion, GuestMtu, Capabilities, Subchannels, _openSubchannels) = (0, 0, 0, 0, 0, 0);
        Buffers = BufferSet.None;
        _rndis.Reset();
    }

    /// <summary>A buffer is taken back under our hands.</summary>
    public void DropBuffer(uint handle, Action dropped)
    {
        var buffers = Without(handle);
        if (ReferenceEquals(buffers, Buffers)) dropped();
        else Set(buffers, dropped);
    }

    /// <summary>Shows the guest a new link state, if it can see one.</summary>
    public void LinkChanged(LinkState link) => _rndis.LinkChanged(link);

    /// <summary>
    /// Once all channels run the guest learns how to spread what it sends. The table lies where a message of this version ends; Linux insists on
    /// that place up to version 6 and takes any later.
    /// </summary>
    public void SubchannelOpened()
    {
        if (++_openSubchannels != Subchannels) return;
        var size = Version > NvspVersions.V6 ? NvspFormat.MessageSize : NvspFormat.ShortMessageSize;
        Span<byte> message = stackalloc byte[NvspFormat.MessageSize + (4 * NvspFormat.IndirectionEntries)];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)NvspType.SendIndirectionTable);
        BinaryPrimitives.WriteInt32LittleEndian(message[4..], NvspFormat.IndirectionEntries);
        BinaryPrimitives.WriteInt32LittleEndian(message[8..], size);
        for (var i = 0; i < NvspFormat.IndirectionEntries; i++)
            BinaryPrimitives.WriteInt32LittleEndian(message[(size + (4 * i))..], i % (Subchannels + 1));
        host.SendMessage(message[..(size + (4 * NvspFormat.IndirectionEntries))]);
    }

    public string? Handle(in ControlPacket packet)
    {
        if (Version == 0 && packet.Type != NvspType.Init) return $"message {packet.Type} before Init";
        switch (packet.Type)
        {
            case NvspType.Init: return Init(packet);
            case NvspType.SendNdisVersion:
                NdisVersion = (U32(packet, 4) << 16) | (U32(packet, 8) & 0xffff);
                return Done(packet);
            case NvspType.SendNdisConfig when Version >= NvspVersions.V2:
                GuestMtu = U32(packet, 4);
                Capabilities = BinaryPrimitives.ReadUInt64LittleEndian(packet.Message[12..]);
                return Done(packet);
            case NvspType.SendReceiveBuffer: return TakeReceiveBuffer(packet);
            case NvspType.RevokeReceiveBuffer: return Revoke(packet, Buffers.WithReceive(null, 0, 0, 0));
            case NvspType.SendSendBuffer: return TakeSendBuffer(packet);
            case NvspType.RevokeSendBuffer: return Revoke(packet, Buffers.WithSend(null, 0));
            case NvspType.SendRndisPacket: return TakeRndis(packet);
            case NvspType.SwitchDataPath when Version >= NvspVersions.V4: return Done(packet);
            case NvspType.OidQuery when Version >= NvspVersions.V5:
                Answer(packet, NvspType.OidQueryComplete, RndisFormat.NotSupported);
                return null;
            case NvspType.Subchannel when Version >= NvspVersions.V5: return AddSubchannels(packet);
            default: return $"message {(uint)packet.Type} under version {NvspVersions.Text(Version)}";
        }
    }

    private string? Init(in ControlPacket packet)
    {
        if (Version != 0) return "Init twice";
        var wanted = U32(packet, 8);
        var supported = wanted <= host.MaxVersion && NvspVersions.All.Contains(wanted);
        if (supported) Version = wanted;
        // Version, longest chain of memory descriptors (what vmswitch says), status; a guest that is refused tries the next older.
        Answer(packet, NvspType.InitComplete, wanted == NvspVersions.V1 ? NvspVersions.V1 : uint.MaxValue, 34, supported ? NvspStatus.Success : NvspStatus.ProtocolTooNew);
        return null;
    }

    private string? TakeReceiveBuffer(in ControlPacket packet)
    {
        if (Buffers.Receive is not null) return "a second receive buffer";
        var handle = U32(packet, 4);
        var size = SectionSize();
        var pages = host.FindBuffer(handle);
        var count = pages is null ? 0 : Math.Min(pages.Length / size, MaxSections);
        if (count < MinSections)
        {
            Answer(packet, NvspType.SendReceiveBufferComplete, NvspStatus.Failure);
            return null;
        }
        Set(Buffers.WithReceive(pages, handle, size, count), () => { });
        // One section of equal parts, from the buffer's start.
        Answer(packet, NvspType.SendReceiveBufferComplete, NvspStatus.Success, 1, 0, (uint)size, (uint)count, (uint)(size * count));
        return null;
    }

    private string? TakeSendBuffer(in ControlPacket packet)
    {
        if (Buffers.Send is not null) return "a second send buffer";
        var handle = U32(packet, 4);
        var pages = host.FindBuffer(handle);
        var ok = pages is not null && pages.Length >= NvspFormat.SendSectionSize;
        if (ok) Set(Buffers.WithSend(pages, handle), () => { });
        Answer(packet, NvspType.SendSendBufferComplete, ok ? NvspStatus.Success : NvspStatus.Failure, NvspFormat.SendSectionSize);
        return null;
    }

    private string? Revoke(in ControlPacket packet, BufferSet buffers)
    {
        Set(buffers, () => { });
        return Done(packet);
    }

    private string? TakeRndis(in ControlPacket packet)
    {
        if (Buffers.Receive is null) return "an RNDIS control message before there is a receive buffer for its answer";
        var fault = _rndis.Handle(packet.Rndis, Version, NdisVersion, CanMerge);
        if (packet.WantsCompletion) Answer(packet, NvspType.SendRndisPacketComplete, fault is null ? NvspStatus.Success : NvspStatus.InvalidRndisPacket);
        return fault;
    }

    private string? AddSubchannels(in ControlPacket packet)
    {
        const uint Allocate = 1;
        if (U32(packet, 4) != Allocate) return $"subchannel operation {U32(packet, 4)}";
        if (Subchannels > 0) return "subchannels twice";
        var count = (int)Math.Min(U32(packet, 8), (uint)(host.MaxQueues - 1));
        Answer(packet, NvspType.Subchannel, count > 0 ? NvspStatus.Success : NvspStatus.Failure, (uint)count);
        if (count == 0) return null;
        Subchannels = count;
        return host.OfferSubchannels(count) ? null : "there are not enough relids left for its subchannels";
    }

    private bool CanMerge => Version >= NvspVersions.V6_1 && (Capabilities & NvspFormat.CapabilityRsc) != 0;

    private int SectionSize()
    {
        var least = CanMerge ? MergingSection : SmallSection;
        var needed = (FrameOverhead + host.Mtu + SectionAlignment - 1) / SectionAlignment * SectionAlignment;
        return Math.Max(least, needed);
    }

    private BufferSet Without(uint handle)
    {
        var buffers = Buffers;
        if (buffers.Receive is not null && buffers.ReceiveHandle == handle) buffers = buffers.WithReceive(null, 0, 0, 0);
        if (buffers.Send is not null && buffers.SendHandle == handle) buffers = buffers.WithSend(null, 0);
        return buffers;
    }

    private void Set(BufferSet buffers, Action applied)
    {
        Buffers = buffers;
        host.Apply(buffers, applied);
    }

    private string? Done(in ControlPacket packet)
    {
        if (packet.WantsCompletion) Answer(packet, NvspType.SendRndisPacketComplete, NvspStatus.Success);
        return null;
    }

    private void Answer(in ControlPacket packet, NvspType type, params ReadOnlySpan<uint> fields)
    {
        Span<byte> message = stackalloc byte[NvspFormat.MessageSize];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)type);
        for (var i = 0; i < fields.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(message[(4 * (i + 1))..], fields[i]);
        host.Complete(packet.Transaction, message);
    }

    private static uint U32(in ControlPacket packet, int at) => BinaryPrimitives.ReadUInt32LittleEndian(packet.Message[at..]);
}
