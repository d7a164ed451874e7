using System.Buffers.Binary;
using System.Text;

namespace NicHost.Wire;

/// <summary>Writes a DHCPv4 message: header, options, then <see cref="Finish"/>. Options that do not fit are left out.</summary>
public ref struct DhcpV4Writer
{
    /// <summary>BOOTP's size: older clients drop shorter messages (RFC 1542 section 2.1).</summary>
    public const int MinLength = 300;

    private readonly Span<byte> _to;
    private int _length;

    /// <summary>Starts a message.</summary>
    /// <param name="to">Room for it, at least <see cref="MinLength"/> bytes; its length is the limit (576 less headers unless the client says more).</param>
    /// <param name="op"><see cref="DhcpV4View.BootRequest"/> or <see cref="DhcpV4View.BootReply"/>.</param>
    /// <param name="transactionId">The client's transaction.</param>
    /// <param name="hardwareAddress">The client's MAC address.</param>
    /// <param name="broadcast">Whether the client wants answers by broadcast.</param>
    /// <param name="clientAddress">ciaddr.</param>
    /// <param name="yourAddress">yiaddr.</param>
    /// <param name="serverAddress">siaddr.</param>
    /// <param name="relayAddress">giaddr.</param>
    public DhcpV4Writer(
        Span<byte> to,
        byte op,
        uint transactionId,
        ulong hardwareAddress,
        bool broadcast,
        uint clientAddress = 0,
        uint yourAddress = 0,
        uint serverAddress = 0,
        uint relayAddress = 0)
    {
        // RFC 2131 section 2, figure 1; the reader has the offsets' names
        _to = to;
        _length = DhcpV4View.OptionsAt;
        to[..MinLength].Clear();
        to[0] = op;
        to[1] = DhcpV4View.HardwareEthernet;
        to[2] = 6;
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], transactionId);
        BinaryPrimitives.WriteUInt16BigEndian(to[10..], broadcast ? (ushort)0x8000 : (ushort)0);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], clientAddress);
        BinaryPrimitives.WriteUInt32BigEndian(to[16..], yourAddress);
        BinaryPrimitives.WriteUInt32BigEndian(to[20..], serverAddress);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], relayAddress);
        EthernetView.WriteMac(to[28..], hardwareAddress);
        BinaryPrimitives.WriteUInt32BigEndian(to[236..], DhcpV4View.Cookie);
    }

    /// <summary>Adds an option.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="data">Its data, at most 255 bytes.</param>
    /// <returns>False when it does not fit; nothing is written then.</returns>
    public bool Add(byte code, scoped ReadOnlySpan<byte> data)
    {
        // One byte stays free for the end.
        if (data.Length > byte.MaxValue || _length + 2 + data.Length + 1 > _to.Length) return false;
        _to[_length] = code;
        _to[_length + 1] = (byte)data.Length;
        data.CopyTo(_to[(_length + 2)..]);
        _length += 2 + data.Length;
        return true;
    }

    /// <summary>Adds the message type.</summary>
    /// <param name="type">The type.</param>
    public bool Add(DhcpV4MessageType type) => AddByte(DhcpV4Option.MessageType, (byte)type);

    /// <summary>Adds an option of one byte.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="value">Its value.</param>
    public bool AddByte(byte code, byte value) => Add(code, [value]);

    /// <summary>Adds an option that is a 16-bit number.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="value">Its value.</param>
    public bool AddUInt16(byte code, ushort value)
    {
        Span<byte> data = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(data, value);
        return Add(code, data);
    }

    /// <summary>Adds an option that is a 32-bit number or one IPv4 address.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="value">Its value.</param>
    public bool AddUInt32(byte code, uint value)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(data, value);
        return Add(code, data);
    }

    /// <summary>Adds an option that is several IPv4 addresses.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="addresses">At most 63; none adds nothing.</param>
    public bool AddAddresses(byte code, scoped ReadOnlySpan<uint> addresses)
    {
        if (addresses.Length is 0 or > 63) return false;
        Span<byte> data = stackalloc byte[addresses.Length * 4];
        for (int i = 0; i < addresses.Length; i++) BinaryPrimitives.WriteUInt32BigEndian(data[(i * 4)..], addresses[i]);
        return Add(code, data);
    }

    /// <summary>Adds an option that is text.</summary>
    /// <param name="code">A <see cref="DhcpV4Option"/>.</param>
    /// <param name="text">ASCII, 1 to 255 characters.</param>
    public bool AddText(byte code, scoped ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > byte.MaxValue) return false;
        Span<byte> data = stackalloc byte[text.Length];
        return Ascii.FromUtf16(text, data, out _) == System.Buffers.OperationStatus.Done && Add(code, data);
    }

    /// <summary>
    /// Adds the domain search list (RFC 3397), not compressed; longer lists are split into several options of the same code, which the client
    /// joins (RFC 3396). Names that are unusable are left out.
    /// </summary>
    /// <param name="domains">Names such as <c>example.org</c>.</param>
    public bool AddDomainSearch(scoped ReadOnlySpan<string> domains)
    {
        Span<byte> names = stackalloc byte[1024];
        int used = 0;
        foreach (string domain in domains)
        {
            if (DnsName.TryEncode(domain, names[used..], out int written)) used += written;
        }

        if (used == 0) return false;
        int pieces = (used + byte.MaxValue - 1) / byte.MaxValue;
        if (_length + used + (pieces * 2) + 1 > _to.Length) return false;
        for (Span<byte> rest = names[..used]; rest.Length > 0; rest = rest[Math.Min(rest.Length, byte.MaxValue)..])
        {
            Add(DhcpV4Option.DomainSearch, rest[..Math.Min(rest.Length, byte.MaxValue)]);
        }

        return true;
    }

    /// <summary>Ends the options and pads to <see cref="MinLength"/>.</summary>
    /// <returns>Bytes of the message.</returns>
    public int Finish()
    {
        _to[_length++] = DhcpV4Option.End;
        if (_length >= MinLength) return _length;
        _to[_length..MinLength].Clear();
        return MinLength;
    }
}
