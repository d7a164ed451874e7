using System.Buffers.Binary;
using System.Text;

namespace NicHost.Wire;

/// <summary>Writes a DHCPv6 message (RFC 8415 sections 8 and 21). Options that do not fit are left out and <see cref="Overflowed"/> is set.</summary>
public ref struct DhcpV6Writer
{
    private const int OptionHeaderLength = 4;

    private readonly Span<byte> _to;
    private int _length;

    /// <summary>Starts a message.</summary>
    /// <param name="to">Room for it.</param>
    /// <param name="type">The type.</param>
    /// <param name="transactionId">24 bits.</param>
    public DhcpV6Writer(Span<byte> to, DhcpV6MessageType type, uint transactionId)
    {
        _to = to;
        _length = DhcpV6View.OptionsAt;
        BinaryPrimitives.WriteUInt32BigEndian(to, (uint)type << 24 | (transactionId & 0xFFFFFF));
    }

    /// <summary>Bytes written.</summary>
    public readonly int Length => _length;

    /// <summary>Whether something did not fit.</summary>
    public bool Overflowed { get; private set; }

    /// <summary>Adds an option.</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="data">Its data.</param>
    public void Add(ushort code, scoped ReadOnlySpan<byte> data)
    {
        if (data.Length > ushort.MaxValue || !TryHeader(code, data.Length)) return;
        data.CopyTo(_to[(_length - data.Length)..]);
    }

    /// <summary>Adds an option of one byte, such as the preference.</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="value">Its value.</param>
    public void AddByte(ushort code, byte value) => Add(code, [value]);

    /// <summary>Adds an option that is a 32-bit number.</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="value">Its value.</param>
    public void AddUInt32(ushort code, uint value)
    {
        Span<byte> data = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(data, value);
        Add(code, data);
    }

    /// <summary>Adds an option that is several IPv6 addresses, such as DNS servers (RFC 3646 section 3).</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="addresses">None adds nothing.</param>
    public void AddAddresses(ushort code, scoped ReadOnlySpan<UInt128> addresses)
    {
        int length = addresses.Length * 16;
        if (length == 0 || !TryHeader(code, length)) return;
        Span<byte> at = _to[(_length - length)..];
        for (int i = 0; i < addresses.Length; i++) BinaryPrimitives.WriteUInt128BigEndian(at[(i * 16)..], addresses[i]);
    }

    /// <summary>Adds a list of domains (RFC 3646 section 4); unusable names are left out.</summary>
    /// <param name="code">A <see cref="DhcpV6Option"/>.</param>
    /// <param name="domains">Names such as <c>example.org</c>.</param>
    public void AddDomains(ushort code, scoped ReadOnlySpan<string> domains)
    {
        Span<byte> names = stackalloc byte[1024];
        int used = 0;
        foreach (string domain in domains)
        {
            if (DnsName.TryEncode(domain, names[used..], out int written)) used += written;
        }

        if (used > 0) Add(code, names[..used]);
    }

    /// <summary>Adds a status (RFC 8415 section 21.13).</summary>
    /// <param name="status">The code.</param>
    /// <param name="text">For people; ASCII, at most 200 characters.</param>
    public void AddStatus(DhcpV6Status status, scoped ReadOnlySpan<char> text = default)
    {
        Span<byte> data = stackalloc byte[202];
        BinaryPrimitives.WriteUInt16BigEndian(data, (ushort)status);
        Ascii.FromUtf16(text[..Math.Min(text.Length, 200)], data[2..], out int length);
        Add(DhcpV6Option.StatusCode, data[..(2 + length)]);
    }

    /// <summary>Starts an association of addresses (IA_NA, RFC 8415 section 21.4): what is added until <see cref="End"/> is in it.</summary>
    /// <param name="id">IAID, the client's.</param>
    /// <param name="renewSeconds">T1.</param>
    /// <param name="rebindSeconds">T2.</param>
    /// <returns>To be given to <see cref="End"/>.</returns>
    public int BeginIaNa(uint id, uint renewSeconds, uint rebindSeconds)
    {
        int start = _length;
        if (!TryHeader(DhcpV6Option.IaNa, 12)) return -1;
        Span<byte> at = _to[(start + OptionHeaderLength)..];
        BinaryPrimitives.WriteUInt32BigEndian(at, id);
        BinaryPrimitives.WriteUInt32BigEndian(at[4..], renewSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(at[8..], rebindSeconds);
        return start;
    }

    /// <summary>Adds an address to an association (RFC 8415 section 21.6).</summary>
    /// <param name="address">The address.</param>
    /// <param name="preferredSeconds">How long it is preferred.</param>
    /// <param name="validSeconds">How long it is valid.</param>
    public void AddIaAddress(UInt128 address, uint preferredSeconds, uint validSeconds)
    {
        if (!TryHeader(DhcpV6Option.IaAddress, 24)) return;
        Span<byte> at = _to[(_length - 24)..];
        BinaryPrimitives.WriteUInt128BigEndian(at, address);
        BinaryPrimitives.WriteUInt32BigEndian(at[16..], preferredSeconds);
        BinaryPrimitives.WriteUInt32BigEndian(at[20..], validSeconds);
    }

    /// <summary>Ends an association: its length is known now.</summary>
    /// <param name="start">What Begin returned.</param>
    public readonly void End(int start)
    {
        if (start < 0) return;
        BinaryPrimitives.WriteUInt16BigEndian(_to[(start + 2)..], checked((ushort)(_length - start - OptionHeaderLength)));
    }

    private bool TryHeader(ushort code, int length)
    {
        if (OptionHeaderLength + length > _to.Length - _length)
        {
            Overflowed = true;
            return false;
        }

        BinaryPrimitives.WriteUInt16BigEndian(_to[_length..], code);
        BinaryPrimitives.WriteUInt16BigEndian(_to[(_length + 2)..], (ushort)length);
        _length += OptionHeaderLength + length;
        return true;
    }
}
