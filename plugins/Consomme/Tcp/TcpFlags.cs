namespace NicHost.Consomme.Tcp;

/// <summary>Control bits (RFC 9293 3.1).</summary>
[Flags]
internal enum TcpFlags : byte
{
    None = 0,
    Fin = 0x01,
    Syn = 0x02,
    Rst = 0x04,
    Psh = 0x08,
    Ack = 0x10,
    Urg = 0x20,
    Ece = 0x40,
    Cwr = 0x80,
}

/// <summary>Option kinds.</summary>
internal static class TcpOptionKind
{
    public const byte End = 0;
    public const byte NoOperation = 1;
    public const byte MaxSegment = 2;       // RFC 9293 3.7.1
    public const byte WindowScale = 3;      // RFC 7323 2
    public const byte SackPermitted = 4;    // RFC 2018 2
    public const byte Sack = 5;             // RFC 2018 3
    public const byte Timestamps = 8;       // RFC 7323 3
}
