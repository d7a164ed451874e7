using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>Option codes of DHCPv4 (RFC 2132 unless said otherwise).</summary>
public static class DhcpV4Option
{
#pragma warning disable CS1591 // The names are the RFCs'.
    public const byte Pad = 0;
    public const byte SubnetMask = 1;
    public const byte Router = 3;
    public const byte DnsServer = 6;
    public const byte HostName = 12;
    public const byte DomainName = 15;
    public const byte InterfaceMtu = 26;
    public const byte BroadcastAddress = 28;
    public const byte NtpServers = 42;
    public const byte RequestedAddress = 50;
    public const byte LeaseTime = 51;
    public const byte Overload = 52;
    public const byte MessageType = 53;
    public const byte ServerIdentifier = 54;
    public const byte ParameterRequestList = 55;
    public const byte Message = 56;
    public const byte MaxMessageSize = 57;
    public const byte RenewalTime = 58;
    public const byte RebindingTime = 59;
    public const byte VendorClass = 60;
    public const byte ClientIdentifier = 61;
    public const byte TftpServerName = 66;
    public const byte BootFileName = 67;
    public const byte RapidCommit = 80;           // RFC 4039
    public const byte ClientFqdn = 81;            // RFC 4702
    public const byte Ipv6OnlyPreferred = 108;    // RFC 8925
    public const byte DomainSearch = 119;         // RFC 3397
    public const byte ClasslessRoutes = 121;      // RFC 3442
    public const byte End = 255;
#pragma warning restore CS1591
}

/// <summary>Message types of DHCPv4 (RFC 2132 section 9.6).</summary>
public enum DhcpV4MessageType : byte
{
    /// <summary>No DHCP but BOOTP.</summary>
    None = 0,
    /// <summary>Client: who can give me an address?</summary>
    Discover = 1,
    /// <summary>Server: take this one.</summary>
    Offer = 2,
    /// <summary>Client: I take it; I still have it.</summary>
    Request = 3,
    /// <summary>Client: somebody else uses it.</summary>
    Decline = 4,
    /// <summary>Server: it is yours.</summary>
    Ack = 5,
    /// <summary>Server: it is not yours.</summary>
    Nak = 6,
    /// <summary>Client: I no longer need it.</summary>
    Release = 7,
    /// <summary>Client: I have an address and want the rest.</summary>
    Inform = 8,
}

/// <summary>A DHCPv4 message.</summary>
public readonly ref struct DhcpV4View
{
    // RFC 2131 section 2, figure 1
    private const int OpAt = 0;
    private const int HardwareTypeAt = 1;
    private const int HardwareLengthAt = 2;
    private const int TransactionAt = 4;
    private const int SecondsAt = 8;
    private const int FlagsAt = 10;
    private const int ClientAddressAt = 12;
    private const int YourAddressAt = 16;
    private const int ServerAddressAt = 20;
    private const int RelayAddressAt = 24;
    private const int HardwareAddressAt = 28;
    private const int ServerNameAt = 44;
    private const int FileAt = 108;
    private const int CookieAt = 236;
    private const ushort BroadcastBit = 0x8000;

    internal const uint Cookie = 0x63825363;    // RFC 2131 section 3
    internal const byte HardwareEthernet = 1;

    /// <summary>Bytes before the options.</summary>
    public const int OptionsAt = 240;

    /// <summary>The client's port.</summary>
    public const ushort ClientPort = 68;

    /// <summary>The server's port.</summary>
    public const ushort ServerPort = 67;

    /// <summary>Op: from a client.</summary>
    public const byte BootRequest = 1;

    /// <summary>Op: from a server.</summary>
    public const byte BootReply = 2;

    private readonly ReadOnlySpan<byte> _message;

    private DhcpV4View(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Looks at a message.</summary>
    /// <param name="message">A UDP payload.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when it is cut, is no DHCP, or is not about Ethernet.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out DhcpV4View view)
    {
        view = default;
        if (message.Length < OptionsAt) return false;
        if (BinaryPrimitives.ReadUInt32BigEndian(message[CookieAt..]) != Cookie) return false;
        if (message[HardwareTypeAt] != HardwareEthernet || message[HardwareLengthAt] != 6) return false;
        view = new DhcpV4View(message);
        return true;
    }

    /// <summary><see cref="BootRequest"/> or <see cref="BootReply"/>.</summary>
    public byte Op => _message[OpAt];

    /// <summary>Ties answers to queries.</summary>
    public uint TransactionId => BinaryPrimitives.ReadUInt32BigEndian(_message[TransactionAt..]);

    /// <summary>Seconds since the client has started to ask.</summary>
    public ushort Seconds => BinaryPrimitives.ReadUInt16BigEndian(_message[SecondsAt..]);

    /// <summary>Whether the client wants the answer by broadcast.</summary>
    public bool WantsBroadcast => (BinaryPrimitives.ReadUInt16BigEndian(_message[FlagsAt..]) & BroadcastBit) != 0;

    /// <summary>ciaddr: the address that the client has and uses.</summary>
    public uint ClientAddress => BinaryPrimitives.ReadUInt32BigEndian(_message[ClientAddressAt..]);

    /// <summary>yiaddr: the address that the server gives.</summary>
    public uint YourAddress => BinaryPrimitives.ReadUInt32BigEndian(_message[YourAddressAt..]);

    /// <summary>siaddr: the next server to boot from.</summary>
    public uint ServerAddress => BinaryPrimitives.ReadUInt32BigEndian(_message[ServerAddressAt..]);

    /// <summary>giaddr: the relay.</summary>
    public uint RelayAddress => BinaryPrimitives.ReadUInt32BigEndian(_message[RelayAddressAt..]);

    /// <summary>chaddr: the client's MAC address.</summary>
    public ulong HardwareAddress => EthernetView.ReadMac(_message[HardwareAddressAt..]);

    /// <summary>The message type, <see cref="DhcpV4MessageType.None"/> without that option.</summary>
    public DhcpV4MessageType MessageType =>
        TryGetOption(DhcpV4Option.MessageType, out ReadOnlySpan<byte> data) && data.Length == 1
            ? (DhcpV4MessageType)data[0]
            : DhcpV4MessageType.None;

    /// <summary>The options field; those that were moved into file and sname (option 52) are found by <see cref="TryGetOption"/> only.</summary>
    public DhcpV4OptionReader Options => new(_message[OptionsAt..]);

    /// <summary>Finds an option: the first of its code in the options, then in the overloaded fields (RFC 2131 section 4.1).</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="data">Its data.</param>
    /// <returns>False when there is none.</returns>
    public bool TryGetOption(byte code, out ReadOnlySpan<byte> data)
    {
        if (Find(_message[OptionsAt..], code, out data)) return true;
        if (!Find(_message[OptionsAt..], DhcpV4Option.Overload, out ReadOnlySpan<byte> overload) || overload.Length != 1) return false;
        if ((overload[0] & 1) != 0 && Find(_message[FileAt..CookieAt], code, out data)) return true;
        return (overload[0] & 2) != 0 && Find(_message[ServerNameAt..FileAt], code, out data);
    }

    /// <summary>Finds an option that is one IPv4 address or one 32-bit number.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="value">Its value.</param>
    /// <returns>False when there is none or it has not 4 bytes.</returns>
    public bool TryGetUInt32(byte code, out uint value)
    {
        bool found = TryGetOption(code, out ReadOnlySpan<byte> data) && data.Length == 4;
        value = found ? BinaryPrimitives.ReadUInt32BigEndian(data) : 0;
        return found;
    }

    private static bool Find(ReadOnlySpan<byte> options, byte code, out ReadOnlySpan<byte> data)
    {
        DhcpV4OptionReader reader = new(options);
        while (reader.MoveNext())
        {
            if (reader.Code != code) continue;
            data = reader.Data;
            return true;
        }

        data = default;
        return false;
    }
}

/// <summary>Walks DHCPv4 options (RFC 2132 section 2).</summary>
public ref struct DhcpV4OptionReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first option.</summary>
    /// <param name="options">An options field.</param>
    public DhcpV4OptionReader(ReadOnlySpan<byte> options)
    {
        _rest = options;
        Code = 0;
        Data = default;
    }

    /// <summary>The current option's code, a <see cref="DhcpV4Option"/>.</summary>
    public byte Code { get; private set; }

    /// <summary>The current option's data.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Moves to the next option; padding is skipped.</summary>
    /// <returns>False at the end, or where an option is cut.</returns>
    public bool MoveNext()
    {
        int skip = _rest.IndexOfAnyExcept(DhcpV4Option.Pad);
        if (skip < 0) return false;
        _rest = _rest[skip..];
        if (_rest[0] == DhcpV4Option.End || _rest.Length < 2 || _rest[1] > _rest.Length - 2) return false;
        Code = _rest[0];
        Data = _rest.Slice(2, _rest[1]);
        _rest = _rest[(2 + Data.Length)..];
        return true;
    }
}
