using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace NicHost.Contracts.Nics;

/// <summary>An EUI-48 address.</summary>
public readonly record struct MacAddress
{
    private readonly ulong _value;

    private MacAddress(ulong value) => _value = value;

    /// <summary>Bytes of an address.</summary>
    public const int Size = 6;

    /// <summary>Reads six bytes in wire order.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> has fewer than six bytes.</exception>
    public MacAddress(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size) throw new ArgumentException("A MAC address has six bytes.", nameof(bytes));
        _value = ((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]);
    }

    /// <summary>The address as a number, first byte on the wire in bits 47 to 40.</summary>
    public ulong Value => _value;

    /// <summary>Whether the group bit is set: broadcast or multicast, which no NIC may own.</summary>
    public bool IsGroup => (_value & 0x0100_0000_0000) != 0;

    /// <summary>Whether every bit is zero.</summary>
    public bool IsZero => _value == 0;

    /// <summary>Writes the six bytes in wire order.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="destination"/> is too short.</exception>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)(_value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(destination[2..], (uint)_value);
    }

    /// <summary>Parses <c>52:54:00:12:34:56</c> or the same with dashes.</summary>
    /// <returns>False when <paramref name="text"/> is anything else.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress address)
    {
        address = default;
        if (text.Length != 17 || text[2] is not (':' or '-')) return false;
        ulong value = 0;
        for (var i = 0; i < Size; i++)
        {
            if (i > 0 && text[(i * 3) - 1] != text[2]) return false;
            if (!byte.TryParse(text.Slice(i * 3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var part)) return false;
            value = (value << 8) | part;
        }
        address = new MacAddress(value);
        return true;
    }

    /// <summary>
    /// A stable, locally administered address for a NIC without one in the topology: the same VM and NIC name give the same address
    /// on every host and at every start.
    /// </summary>
    public static MacAddress Derive(NicIdentity nic)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{nic.Vm}\0{nic.Nic}"), hash);
        hash[0] = (byte)((hash[0] & 0xfc) | 0x02);
        return new MacAddress(hash);
    }

    /// <summary>Lower-case hexadecimal with colons.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{bytes[0]:x2}:{bytes[1]:x2}:{bytes[2]:x2}:{bytes[3]:x2}:{bytes[4]:x2}:{bytes[5]:x2}");
    }
}
