namespace NicHost.NetVsp.Rndis;

/// <summary>Kinds of RNDIS messages.</summary>
internal enum RndisType : uint
{
    Packet = 1,
    Initialize = 2,
    Halt = 3,
    Query = 4,
    Set = 5,
    Reset = 6,
    IndicateStatus = 7,
    KeepAlive = 8,
    InitializeComplete = 0x8000_0002,
    QueryComplete = 0x8000_0004,
    SetComplete = 0x8000_0005,
    ResetComplete = 0x8000_0006,
    KeepAliveComplete = 0x8000_0008,
}

/// <summary>Per-packet information.</summary>
internal enum PpiType : uint
{
    Checksum = 0,
    LargeSend = 2,
    Vlan = 6,
    HashValue = 8,

    /// <summary>Internal: part of a frame that RSC has put together.</summary>
    PacketId = 0x8000_0001,
}

/// <summary>Layout of RNDIS packet messages and what counts offsets from where.</summary>
internal static class RndisFormat
{
    /// <summary>Message type and length: offsets in a message count from behind them.</summary>
    public const int HeaderSize = 8;

    /// <summary>Bytes of a packet message's fixed part, header included.</summary>
    public const int PacketSize = 44;

    /// <summary>Type, size and offset before each per-packet information.</summary>
    public const int PpiHeader = 12;

    /// <summary>RNDIS results.</summary>
    public const uint Success = 0;

    public const uint Failure = 0xC000_0001;

    public const uint NotSupported = 0xC000_00BB;

    public const uint InvalidData = 0xC001_0015;
}
