namespace NicHost.Probe.Frontend;

/// <summary>Requests of the front-end (vhost-user specification, "Front-end message types").</summary>
public enum VhostRequest : uint
{
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

/// <summary>Requests of the back-end, on the channel of SET_BACKEND_REQ_FD.</summary>
public enum VhostBackendRequest : uint
{
    IotlbMsg = 1,
    ConfigChange = 2,
    VringHostNotifier = 3,
    VringCall = 4,
    VringErr = 5,
}

/// <summary>Bits of a message header's flags.</summary>
[Flags]
public enum VhostFlags : uint
{
    None = 0,
    Version1 = 1,
    Reply = 4,
    NeedReply = 8,
}

/// <summary>Protocol features.</summary>
[Flags]
public enum ProtocolFeatures : ulong
{
    None = 0,
    Mq = 1UL << 0,
    LogShmFd = 1UL << 1,
    Rarp = 1UL << 2,
    ReplyAck = 1UL << 3,
    Mtu = 1UL << 4,
    BackendReq = 1UL << 5,
    CrossEndian = 1UL << 6,
    Config = 1UL << 9,
    BackendSendFd = 1UL << 10,
    ResetDevice = 1UL << 13,
    InbandNotifications = 1UL << 14,
    ConfigureMemSlots = 1UL << 15,
    Status = 1UL << 16,

    /// <summary>What the probe takes if it is offered.</summary>
    Default = Mq | ReplyAck | BackendReq | Config | ResetDevice | Status,
}

/// <summary>Device features of virtio 1.2 and bit 30 of vhost-user.</summary>
[Flags]
public enum VirtioFeatures : ulong
{
    None = 0,
    Csum = 1UL << 0,
    GuestCsum = 1UL << 1,
    Mtu = 1UL << 3,
    Mac = 1UL << 5,
    GuestTso4 = 1UL << 7,
    GuestTso6 = 1UL << 8,
    GuestEcn = 1UL << 9,
    GuestUfo = 1UL << 10,
    HostTso4 = 1UL << 11,
    HostTso6 = 1UL << 12,
    HostEcn = 1UL << 13,
    HostUfo = 1UL << 14,
    MrgRxBuf = 1UL << 15,
    Status = 1UL << 16,
    CtrlVq = 1UL << 17,
    CtrlRx = 1UL << 18,
    CtrlVlan = 1UL << 19,
    GuestAnnounce = 1UL << 21,
    Mq = 1UL << 22,
    CtrlMacAddr = 1UL << 23,
    LogAll = 1UL << 26,
    AnyLayout = 1UL << 27,
    IndirectDesc = 1UL << 28,
    EventIdx = 1UL << 29,
    ProtocolFeatures = 1UL << 30,
    Version1 = 1UL << 32,
    RingPacked = 1UL << 34,
    InOrder = 1UL << 35,
    GuestUso4 = 1UL << 54,
    GuestUso6 = 1UL << 55,
    HostUso = 1UL << 56,
    HashReport = 1UL << 57,
    GuestHdrLen = 1UL << 59,
    SpeedDuplex = 1UL << 63,

    /// <summary>Segmentation and checksum offloads of both directions.</summary>
    Offloads = Csum | GuestCsum | Gso,

    /// <summary>Super-frames in both directions.</summary>
    Gso = GuestTso4 | GuestTso6 | GuestEcn | HostTso4 | HostTso6 | HostEcn | GuestUso4 | GuestUso6 | HostUso,

    /// <summary>What the probe's driver can do.</summary>
    Default = Offloads | Mtu | Mac | MrgRxBuf | Status | CtrlVq | Mq | IndirectDesc | EventIdx | ProtocolFeatures | Version1 | SpeedDuplex,
}

/// <summary>The peer on the socket broke the protocol, refused something, or went away.</summary>
public sealed class VhostException(string message) : IOException(message);
