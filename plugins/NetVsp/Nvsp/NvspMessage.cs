namespace NicHost.NetVsp.Nvsp;

/// <summary>Kinds of NVSP messages.</summary>
internal enum NvspType : uint
{
    Init = 1,
    InitComplete = 2,
    SendNdisVersion = 100,
    SendReceiveBuffer = 101,
    SendReceiveBufferComplete = 102,
    RevokeReceiveBuffer = 103,
    SendSendBuffer = 104,
    SendSendBufferComplete = 105,
    RevokeSendBuffer = 106,
    SendRndisPacket = 107,
    SendRndisPacketComplete = 108,
    SendNdisConfig = 125,
    SwitchDataPath = 129,
    OidQuery = 131,
    OidQueryComplete = 132,
    Subchannel = 133,
    SendIndirectionTable = 134,
}

/// <summary>Results in NVSP messages.</summary>
internal static class NvspStatus
{
    public const uint Success = 1;
    public const uint Failure = 2;
    public const uint ProtocolTooNew = 3;
    public const uint InvalidRndisPacket = 5;
}

/// <summary>Constants of NVSP.</summary>
internal static class NvspFormat
{
    /// <summary>
    /// Bytes of every message and completion of ours. Linux measures some answers by the longest kind, DPDK wants the full size for
    /// subchannels; a longer one harms nobody.
    /// </summary>
    public const int MessageSize = 40;

    /// <summary>Message size up to version 6, where the indirection table is expected behind it.</summary>
    public const int ShortMessageSize = 28;

    /// <summary>Bytes of a section of the send buffer: what the guest may copy a frame into.</summary>
    public const int SendSectionSize = 6144;

    /// <summary>No section of the send buffer is used.</summary>
    public const uint NoSection = 0xffff_ffff;

    /// <summary>The name of the receive buffer in transfer-page packets.</summary>
    public const ushort ReceiveBufferId = 0xcafe;

    /// <summary>Entries of the send indirection table: Linux takes no other number.</summary>
    public const int IndirectionEntries = 16;

    /// <summary>RNDIS channel of frames.</summary>
    public const uint DataChannel = 0;

    /// <summary>RNDIS channel of everything else.</summary>
    public const uint ControlChannel = 1;

    /// <summary>Capability bit of NDIS config: the guest merges what RSC has split.</summary>
    public const ulong CapabilityRsc = 1 << 7;
}
