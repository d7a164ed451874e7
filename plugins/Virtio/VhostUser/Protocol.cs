namespace NicHost.Virtio.VhostUser;

/// <summary>Requests of a front-end (vhost-user specification, "Front-end message types").</summary>
internal enum Request : uint
{
    None = 0,
    GetFeatures = 1,
    SetFeatures = 2,
    SetOwner = 3,
    ResetOwner = 4,
    SetMemTable = 5,
    SetLogBase = 6,
    SetLogFd = 7,
    SetVringNum = 8,
    SetVringAddr = 9,
    SetVringBase = 10,
    GetVringBase = 11,
    SetVringKick = 12,
    SetVringCall = 13,
    SetVringErr = 14,
    GetProtocolFeatures = 15,
    SetProtocolFeatures = 16,
    GetQueueNum = 17,
    SetVringEnable = 18,
    SendRarp = 19,
    NetSetMtu = 20,
    SetBackendReqFd = 21,
    GetConfig = 24,
    SetConfig = 25,
    ResetDevice = 34,
    VringKick = 35,
    GetMaxMemSlots = 36,
    AddMemReg = 37,
    RemMemReg = 38,
    SetStatus = 39,
    GetStatus = 40,
}

/// <summary>Requests of a back-end, on the channel that SET_BACKEND_REQ_FD gives.</summary>
internal enum BackendRequest : uint
{
    ConfigChange = 2,
    VringCall = 4,
}

/// <summary>Bits of SET_PROTOCOL_FEATURES.</summary>
[Flags]
internal enum ProtocolFeatures : ulong
{
    None = 0,
    Mq = 1ul << 0,
    ReplyAck = 1ul << 3,
    Mtu = 1ul << 4,
    BackendReq = 1ul << 5,
    Config = 1ul << 9,
    ResetDevice = 1ul << 13,
    InbandNotifications = 1ul << 14,
    ConfigureMemSlots = 1ul << 15,
    Status = 1ul << 16,
}

/// <summary>The header of every message: request, flags, size of what follows; native byte order.</summary>
internal readonly record struct MessageHeader(Request Request, uint Flags, int Size)
{
    public const int Bytes = 12;

    public const uint Version = 1;
    public const uint VersionMask = 3;
    public const uint FlagReply = 1 << 2;
    public const uint FlagNeedReply = 1 << 3;

    public bool NeedsReply => (Flags & FlagNeedReply) != 0;
}

/// <summary>What a request must look like.</summary>
/// <param name="MinSize">Least bytes after the header.</param>
/// <param name="MaxSize">Most bytes after the header.</param>
/// <param name="MinFds">Fewest descriptors.</param>
/// <param name="MaxFds">Most descriptors.</param>
internal readonly record struct MessageShape(int MinSize, int MaxSize, int MinFds = 0, int MaxFds = 0)
{
    /// <summary>The most regions of one memory table.</summary>
    public const int MaxRegions = 8;

    /// <summary>Bytes of one region: guest address, size, user address, mmap offset.</summary>
    public const int RegionBytes = 32;

    /// <summary>Offset, size and flags before the bytes of a config message.</summary>
    public const int ConfigHeader = 12;

    /// <summary>The largest configuration space that a message carries.</summary>
    public const int MaxConfig = 256;

    /// <summary>Bytes that no known request exceeds; what is longer ends the connection unread.</summary>
    public const int MaxPayload = 4096;

    /// <summary>Descriptors that no known request exceeds.</summary>
    public const int MaxAnyFds = MaxRegions;

    private const int U64 = 8;
    private const int VringState = 8;

    public static MessageShape? Of(Request request) => request switch
    {
        Request.GetFeatures or Request.SetOwner or Request.ResetOwner or Request.GetProtocolFeatures or Request.GetQueueNum
            or Request.ResetDevice or Request.GetMaxMemSlots or Request.GetStatus => new(0, 0),
        Request.SetFeatures or Request.SetProtocolFeatures or Request.SendRarp or Request.NetSetMtu or Request.SetStatus => new(U64, U64),
        Request.SetMemTable => new(8, 8 + (MaxRegions * RegionBytes), 0, MaxRegions),
        Request.SetVringNum or Request.SetVringBase or Request.GetVringBase or Request.SetVringEnable or Request.VringKick
            => new(VringState, VringState),
        Request.SetVringAddr => new(40, 40),
        Request.SetVringKick or Request.SetVringCall or Request.SetVringErr => new(U64, U64, 0, 1),
        // Some front-ends send an empty word with it.
        Request.SetBackendReqFd => new(0, U64, 1, 1),
        Request.GetConfig or Request.SetConfig => new(ConfigHeader, ConfigHeader + MaxConfig),
        Request.AddMemReg => new(8 + RegionBytes, 8 + RegionBytes, 1, 1),
        // Older front-ends send the region's descriptor here, too.
        Request.RemMemReg => new(8 + RegionBytes, 8 + RegionBytes, 0, 1),
        _ => null,
    };

    /// <summary>The name in the specification, for logs.</summary>
    public static string Name(Request request) =>
        Enum.IsDefined(request) ? request.ToString() : $"request {(uint)request}";
}
