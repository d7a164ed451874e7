using System.Text;

namespace NicHost.Probe.Stack;

/// <summary>Names in DNS form (RFC 1035, 3.1).</summary>
internal static class DnsName
{
    /// <summary>Writes a name without compression.</summary>
    /// <returns>Bytes written.</returns>
    public static int Write(string name, Span<byte> destination)
    {
        var at = 0;
        foreach (var label in name.TrimEnd('.').Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            var length = Encoding.ASCII.GetBytes(label, destination[(at + 1)..]);
            if (length > 63) throw new ArgumentException($"The label {label} is longer than 63 bytes.", nameof(name));
            destination[at] = (byte)length;
            at += length + 1;
        }
        destination[at] = 0;
        return at + 1;
    }

    /// <summary>Reads a name, compressed or not.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="at">Where the name begins; afterwards, where it ends.</param>
    /// <returns>The name, or null when it is malformed.</returns>
    public static string? Read(ReadOnlySpan<byte> message, ref int at)
    {
        var text = new StringBuilder();
        var position = at;
        var jumped = false;
        for (var steps = 0; steps < 128 && position < message.Length; steps++)
        {
            int length = message[position];
            if (length == 0)
            {
                if (!jumped) at = position + 1;
                return text.Length == 0 ? "." : text.ToString(0, text.Length - 1);
            }
            if (length >= 0xc0)
            {
                if (position + 1 >= message.Length) return null;
                if (!jumped) at = position + 2;
                jumped = true;
                position = ((length & 0x3f) << 8) | message[position + 1];
                continue;
            }
            if (length > 63 || position + 1 + length > message.Length) return null;
            text.Append(Encoding.ASCII.GetString(message.Slice(position + 1, length))).Append('.');
            position += length + 1;
        }
        return null;
    }

    /// <summary>Reads names one after the other, up to padding.</summary>
    public static void ReadList(ReadOnlySpan<byte> bytes, List<string> names)
    {
        for (var at = 0; at < bytes.Length && bytes[at] != 0;)
        {
            if (Read(bytes, ref at) is not { } name) return;
            names.Add(name);
        }
    }
}
