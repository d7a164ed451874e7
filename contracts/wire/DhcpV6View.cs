using System.Buffers.Binary;

namespace NicHost.Wire;

/// <summary>Message types of DHCPv6 (RFC 8415 section 7.3).</summary>
public enum DhcpV6MessageType : byte
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Client: which servers are there?</summary>
    Solicit = 1,
    /// <summary>Server: I can give you this.</summary>
    Advertise = 2,
    /// <summary>Client: give it to me.</summary>
    Request = 3,
    /// <summary>Client, after a move: is my address right here?</summary>
    Confirm = 4,
    /// <summary>Client to its server: longer, please.</summary>
    Renew = 5,
    /// <summary>Client to any server: longer, please.</summary>
    Rebind = 6,
    /// <summary>Server: the answer.</summary>
    Reply = 7,
    /// <summary>Client: I no longer need it.</summary>
    Release = 8,
    /// <summary>Client: somebody else uses it.</summary>
    Decline = 9,
    /// <summary>Server: ask again.</summary>
    Reconfigure = 10,
    /// <summary>Client: I have addresses and want the rest.</summary>
    InformationRequest = 11,
    /// <summary>Relay to server.</summary>
    RelayForward = 12,
    /// <summary>Server to relay.</summary>
    RelayReply = 13,
}

/// <summary>Option codes of DHCPv6 (RFC 8415 section 21 unless said otherwise).</summary>
public static class DhcpV6Option
{
#pragma warning disable CS1591 // The names are the RFCs'.
    public const ushort ClientId = 1;
    public const ushort ServerId = 2;
    public const ushort IaNa = 3;
    public const ushort IaTa = 4;
    public const ushort IaAddress = 5;
    public const ushort OptionRequest = 6;
    public const ushort Preference = 7;
    public const ushort ElapsedTime = 8;
    public const ushort StatusCode = 13;
    public const ushort RapidCommit = 14;
    public const ushort DnsServers = 23;            // RFC 3646
    public const ushort DomainList = 24;            // RFC 3646
    public const ushort IaPd = 25;
    public const ushort InformationRefreshTime = 32;
    public const ushort ClientFqdn = 39;            // RFC 4704
    public const ushort SolMaxRt = 82;
#pragma warning restore CS1591
}

/// <summary>Status codes of DHCPv6 (RFC 8415 section 21.13).</summary>
public enum DhcpV6Status : ushort
{
    /// <summary>It worked.</summary>
    Success = 0,
    /// <summary>It did not, for a reason not said.</summary>
    UnspecFail = 1,
    /// <summary>No addresses to give.</summary>
    NoAddrsAvail = 2,
    /// <summary>The server does not know of it.</summary>
    NoBinding = 3,
    /// <summary>The address does not belong to the link.</summary>
    NotOnLink = 4,
    /// <summary>Use the multicast address.</summary>
    UseMulticast = 5,
    /// <summary>No prefix to give.</summary>
    NoPrefixAvail = 6,
}

/// <summary>A DHCPv6 message between client and server.</summary>
public readonly ref struct DhcpV6View
{
    // RFC 8415 section 8
    private const int TypeAt = 0;
    private const int TransactionAt = 1;

    /// <summary>Bytes before the options.</summary>
    public const int OptionsAt = 4;

    /// <summary>The client's port.</summary>
    public const ushort ClientPort = 546;

    /// <summary>The server's port.</summary>
    public const ushort ServerPort = 547;

    private readonly ReadOnlySpan<byte> _message;

    private DhcpV6View(ReadOnlySpan<byte> message) => _message = message;

    /// <summary>Looks at a message.</summary>
    /// <param name="message">A UDP payload.</param>
    /// <param name="view">The view.</param>
    /// <returns>False when the header or an option is cut, or it is a relay's message.</returns>
    public static bool TryParse(ReadOnlySpan<byte> message, out DhcpV6View view)
    {
        view = default;
        if (message.Length < OptionsAt) return false;
        if (message[TypeAt] is (byte)DhcpV6MessageType.RelayForward or (byte)DhcpV6MessageType.RelayReply) return false;
        DhcpV6OptionReader options = new(message[OptionsAt..]);
        while (options.MoveNext())
        {
        }

        if (!options.IsAtEnd) return false;
        view = new DhcpV6View(message);
        return true;
    }

    /// <summary>The type.</summary>
    public DhcpV6MessageType Type => (DhcpV6MessageType)_message[TypeAt];

    /// <summary>Ties answers to queries; 24 bits.</summary>
    public uint TransactionId => BinaryPrimitives.ReadUInt32BigEndian(_message) & 0xFFFFFF;

    /// <summary>The options.</summary>
    public DhcpV6OptionReader Options => new(_message[OptionsAt..]);

    /// <summary>Finds the first option of a code.</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="data">Its data.</param>
    /// <returns>False when there is none.</returns>
    public bool TryGetOption(ushort code, out ReadOnlySpan<byte> data)
    {
        DhcpV6OptionReader reader = Options;
        while (reader.MoveNext())
        {
            if (reader.Code != code) continue;
            data = reader.Data;
            return true;
        }

        data = default;
        return false;
    }

    /// <summary>Whether the client has asked for an option (RFC 8415 section 21.7).</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    public bool Requests(ushort code)
    {
        if (!TryGetOption(DhcpV6Option.OptionRequest, out ReadOnlySpan<byte> codes)) return false;
        for (; codes.Length >= 2; codes = codes[2..])
        {
            if (BinaryPrimitives.ReadUInt16BigEndian(codes) == code) return true;
        }

        return false;
    }
}

/// <summary>Walks DHCPv6 options, also those within options (RFC 8415 section 21.1).</summary>
public ref struct DhcpV6OptionReader
{
    private const int HeaderLength = 4;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts before the first option.</summary>
    /// <param name="options">An options field.</param>
    public DhcpV6OptionReader(ReadOnlySpan<byte> options)
    {
        _rest = options;
        Code = 0;
        Data = default;
    }

    /// <summary>The current option's code, a <see cref="DhcpV6Option"/>.</summary>
    public ushort Code { get; private set; }

    /// <summary>The current option's data.</summary>
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Whether all bytes were options.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Moves to the next option.</summary>
    /// <returns>False at the end, or where an option is cut.</returns>
    public bool MoveNext()
    {
        if (_rest.Length < HeaderLength) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(_rest[2..]);
        if (length > _rest.Length - HeaderLength) return false;
        Code = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        Data = _rest.Slice(HeaderLength, length);
        _rest = _rest[(HeaderLength + length)..];
        return true;
    }

    /// <summary>Reads the current option as an association of addresses (IA_NA, RFC 8415 section 21.4).</summary>
    /// <param name="id">IAID.</param>
    /// <param name="addresses">The options in it, <see cref="DhcpV6Option.IaAddress"/> among them.</param>
    /// <returns>False when it is something else or cut.</returns>
    public readonly bool TryReadIaNa(out uint id, out DhcpV6OptionReader addresses)
    {
        bool ok = Code == DhcpV6Option.IaNa && Data.Length >= 12;
        id = ok ? BinaryPrimitives.ReadUInt32BigEndian(Data) : 0;
        addresses = new DhcpV6OptionReader(ok ? Data[12..] : default);
        return ok;
    }

    /// <summary>Reads the current option as an address in an association (RFC 8415 section 21.6).</summary>
    /// <param name="address">The address.</param>
    /// <param name="preferredSeconds">How long it is preferred.</param>
    /// <param name="validSeconds">How long it is valid.</param>
    /// <returns>False when it is something else or cut.</returns>
    public readonly bool TryReadIaAddress(out UInt128 address, out uint preferredSeconds, out uint validSeconds)
    {
        bool ok = Code == DhcpV6Option.IaAddress && Data.Length >= 24;
        address = ok ? BinaryPrimitives.ReadUInt128BigEndian(Data) : UInt128.Zero;
        preferredSeconds = ok ? BinaryPrimitives.ReadUInt32BigEndian(Data[16..]) : 0;
        validSeconds = ok ? BinaryPrimitives.ReadUInt32BigEndian(Data[20..]) : 0;
        return ok;
    }
}
