using System.Text;

namespace NicHost.Wire;

/// <summary>Domain names as in DNS messages: labels with a length byte before each, a zero at the end (RFC 1035 section 3.1).</summary>
public static class DnsName
{
    private const byte PointerMask = 0xC0;
    private const int MaxLabel = 63;

    /// <summary>The longest name on the wire, with length bytes and the final zero (RFC 1035 section 2.3.4).</summary>
    public const int MaxWireLength = 255;

    /// <summary>Room that any name's text needs: 254 characters, each escaped as backslash and three digits at worst.</summary>
    public const int MaxTextLength = 4 * MaxWireLength;

    // A pointer must go backwards, so a walk ends by itself; the bound keeps a hostile message from making it long.
    private const int MaxPointers = 64;

    /// <summary>Encodes a name without compression.</summary>
    /// <param name="name">Such as <c>www.example.org</c>, with or without a final dot; ASCII.</param>
    /// <param name="to">Where to.</param>
    /// <param name="written">Bytes written.</param>
    /// <returns>False when a label is empty or too long, the name is too long or not ASCII, or there is no room.</returns>
    public static bool TryEncode(ReadOnlySpan<char> name, Span<byte> to, out int written)
    {
        written = 0;
        if (name.EndsWith('.')) name = name[..^1];
        int at = 0;
        while (name.Length > 0)
        {
            int dot = name.IndexOf('.');
            ReadOnlySpan<char> label = dot < 0 ? name : name[..dot];
            if (label.Length is 0 or > MaxLabel || at + 1 + label.Length + 1 > Math.Min(to.Length, MaxWireLength)) return false;
            to[at] = (byte)label.Length;
            if (Ascii.FromUtf16(label, to[(at + 1)..], out int length) != System.Buffers.OperationStatus.Done) return false;
            at += 1 + length;
            if (dot < 0) break;
            name = name[(dot + 1)..];
            if (name.Length == 0) return false;
        }

        if (at >= to.Length) return false;
        to[at] = 0;
        written = at + 1;
        return true;
    }

    /// <summary>Finds where a name ends, without following pointers.</summary>
    /// <param name="message">The message from its first byte.</param>
    /// <param name="offset">Where the name starts; then where it ends.</param>
    /// <returns>False when it is cut or malformed.</returns>
    public static bool TrySkip(ReadOnlySpan<byte> message, ref int offset)
    {
        int at = offset;
        while ((uint)at < (uint)message.Length)
        {
            byte length = message[at];
            if (length == 0)
            {
                offset = at + 1;
                return true;
            }

            if ((length & PointerMask) == PointerMask)
            {
                if (at + 2 > message.Length) return false;
                offset = at + 2;
                return true;
            }

            if ((length & PointerMask) != 0) return false;
            at += 1 + length;
        }

        return false;
    }

    /// <summary>Copies a name without compression, in lower case: the canonical form, fit for comparing and as a key.</summary>
    /// <param name="message">The message from its first byte.</param>
    /// <param name="offset">Where the name starts; then where it ends in the message.</param>
    /// <param name="to">At least <see cref="MaxWireLength"/> bytes for any name.</param>
    /// <param name="written">Bytes written, final zero included.</param>
    /// <returns>False when it is cut, malformed, too long, or its pointers do not go backwards.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, ref int offset, Span<byte> to, out int written)
    {
        written = 0;
        int end = offset;
        if (!TrySkip(message, ref end)) return false;
        int at = offset;
        int limit = at;
        int pointers = 0;
        int length = 0;
        while (true)
        {
            if ((uint)at >= (uint)message.Length) return false;
            byte first = message[at];
            if ((first & PointerMask) == PointerMask)
            {
                if (at + 2 > message.Length || ++pointers > MaxPointers) return false;
                int target = (first & ~PointerMask) << 8 | message[at + 1];
                if (target >= limit) return false; // RFC 1035 section 4.1.4: a prior occurrence
                limit = target;
                at = target;
                continue;
            }

            if ((first & PointerMask) != 0) return false;
            int total = 1 + first;
            if (at + total > message.Length || length + total > Math.Min(to.Length, MaxWireLength)) return false;
            to[length] = first;
            Lower(message.Slice(at + 1, first), to[(length + 1)..]);
            length += total;
            at += total;
            if (first != 0) continue;
            written = length;
            offset = end;
            return true;
        }
    }

    /// <summary>Turns an uncompressed name into text without a final dot; the root is <c>.</c>; bytes that are not printable, dots and backslashes in labels are escaped.</summary>
    /// <param name="name">An uncompressed name, as <see cref="TryRead"/> writes it.</param>
    public static string ToText(ReadOnlySpan<byte> name)
    {
        if (name.Length <= 1) return ".";
        StringBuilder text = new(name.Length);
        while (name.Length > 0 && name[0] != 0 && name[0] < name.Length)
        {
            if (text.Length > 0) text.Append('.');
            foreach (byte b in name.Slice(1, name[0]))
            {
                if (b is (byte)'.' or (byte)'\\') text.Append('\\').Append((char)b);
                else if (b is > 0x20 and < 0x7F) text.Append((char)b);
                else text.Append('\\').Append(b.ToString("D3", null));
            }

            name = name[(1 + name[0])..];
        }

        return text.ToString();
    }

    private static void Lower(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            byte b = from[i];
            to[i] = b is >= (byte)'A' and <= (byte)'Z' ? (byte)(b | 0x20) : b;
        }
    }
}
