using System.Buffers.Binary;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Nvsp;

namespace NicHost.NetVsp.Rndis;

/// <summary>RNDIS apart from frames: each request is answered at once, with exactly as many bytes as its driver wants. On the first loop.</summary>
internal sealed partial class RndisControl
{
    // Fixed parts behind type and length.
    private const int RequestSize = 20;
    private const uint StatusMediaConnect = 0x4001_000B;
    private const uint StatusMediaDisconnect = 0x4001_000C;
    private const uint StatusLinkSpeedChange = 0x4001_0013;

    private readonly INicHost _host;
    private uint _version;
    private uint _ndisVersion;
    private bool _canMerge;

    public RndisControl(INicHost host)
    {
        _host = host;
        Settings = GuestSettings.Down;
    }

    /// <summary>What the guest has set.</summary>
    public GuestSettings Settings { get; private set; }

    /// <summary>The channel begins anew.</summary>
    public void Reset() => Settings = GuestSettings.Down;

    /// <summary>Takes a message.</summary>
    /// <param name="bytes">All that came, in a private copy.</param>
    /// <param name="version">The NVSP version.</param>
    /// <param name="ndisVersion">The guest's NDIS version.</param>
    /// <param name="canMerge">Whether the guest said that it merges what RSC has split.</param>
    /// <returns>Why the channel cannot go on, or null.</returns>
    public string? Handle(ReadOnlySpan<byte> bytes, uint version, uint ndisVersion, bool canMerge)
    {
        (_version, _ndisVersion, _canMerge) = (version, ndisVersion, canMerge);
        var type = (RndisType)U32(bytes, 0);
        var length = U32(bytes, 4);
        if (length < 12 || length > (uint)bytes.Length) return $"an RNDIS message of {length} bytes in a packet of {bytes.Length}";
        var body = bytes[RndisFormat.HeaderSize..(int)length];
        switch (type)
        {
            case RndisType.Initialize when body.Length >= 16: Initialize(U32(body, 0), U32(body, 4)); return null;
            case RndisType.Halt: Set(GuestSettings.Down); return null;
            case RndisType.Query when body.Length >= RequestSize: Query(body); return null;
            case RndisType.Set when body.Length >= RequestSize: SetValue(body); return null;
            case RndisType.Reset: ResetDevice(); return null;
            case RndisType.KeepAlive: Answer(RndisType.KeepAliveComplete, U32(body, 0), RndisFormat.Success); return null;
            default: return $"an RNDIS message of type {(uint)type} with {body.Length} bytes";
        }
    }

    /// <summary>Shows the guest a new link state.</summary>
    public void LinkChanged(LinkState link)
    {
        if (!Settings.IsUp) return;
        if (link.IsUp && link.SpeedMbps > 0) Indicate(StatusLinkSpeedChange, LinkSpeed(link));
        Indicate(link.IsUp ? StatusMediaConnect : StatusMediaDisconnect);
    }

    private void Initialize(uint request, uint major)
    {
        const uint Connectionless = 1;
        const uint PacketsPerMessage = 8;
        const uint LargestTransfer = 0x4000;
        const uint AlignmentExponent = 3;
        var offer = Offer;
        Set(new GuestSettings { IsUp = true, Mac = _host.Mac, TxOffloads = offer.Tx, RxOffloads = offer.Rx & (OffloadSet.Checksum | OffloadSet.Vlan) });
        // Status, version 1.0, flags, medium 802.3, and two words about connections, which there are not.
        Answer(RndisType.InitializeComplete, request, major == 1 ? RndisFormat.Success : RndisFormat.Failure, 1, 0, Connectionless, 0, PacketsPerMessage, LargestTransfer, AlignmentExponent, 0, 0);
    }

    private void ResetDevice()
    {
        if (Settings.IsUp) Set(Settings with { Filter = PacketFilter.None, Multicast = [] });
        // Status, and whether filter and addresses have to be set again.
        Answer(RndisType.ResetComplete, RndisFormat.Success, 1);
    }

    private void Query(ReadOnlySpan<byte> body)
    {
        var answer = new InfoWriter(stackalloc byte[InfoWriter.Capacity]);
        var room = U32(body, 8);
        var status = TryQuery((Oid)U32(body, 4), room, ref answer) ? RndisFormat.Success : RndisFormat.NotSupported;
        var info = status == RndisFormat.Success ? answer.Bytes : [];
        var message = new byte[24 + ((info.Length + 3) & ~3)];
        Write(message, RndisType.QueryComplete, [U32(body, 0), status, (uint)info.Length, info.IsEmpty ? 0u : 16u]);
        info.CopyTo(message.AsSpan(24));
        _host.SendRndis(message);
    }

    private void SetValue(ReadOnlySpan<byte> body)
    {
        var length = U32(body, 8);
        var offset = U32(body, 12);
        var status = RndisFormat.InvalidData;
        if (offset <= (uint)body.Length && length <= (uint)body.Length - offset) status = TrySet((Oid)U32(body, 4), body.Slice((int)offset, (int)length));
        Answer(RndisType.SetComplete, U32(body, 0), status);
    }

    private void Set(GuestSettings settings)
    {
        Settings = settings;
        _host.Apply(settings);
    }

    private void Indicate(uint status, uint? value = null)
    {
        // Status, then length and offset of what comes with it; the offset counts from the status.
        var message = new byte[20 + (value is null ? 0 : 4)];
        Write(message, RndisType.IndicateStatus, [status, value is null ? 0u : 4u, value is null ? 0u : 12u]);
        if (value is { } number) BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(20), number);
        _host.SendRndis(message);
    }

    private void Answer(RndisType type, params ReadOnlySpan<uint> fields)
    {
        var message = new byte[RndisFormat.HeaderSize + (4 * fields.Length)];
        Write(message, type, fields);
        _host.SendRndis(message);
    }

    private static void Write(Span<byte> message, RndisType type, ReadOnlySpan<uint> fields)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)type);
        BinaryPrimitives.WriteInt32LittleEndian(message[4..], message.Length);
        for (var i = 0; i < fields.Length; i++) BinaryPrimitives.WriteUInt32LittleEndian(message[(8 + (4 * i))..], fields[i]);
    }

    /// <summary>In units of 100 bit/s; the largest number for what is faster than it can say.</summary>
    private static uint LinkSpeed(LinkState link) => (uint)Math.Min(link.SpeedMbps * 10_000ul, uint.MaxValue);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
}
