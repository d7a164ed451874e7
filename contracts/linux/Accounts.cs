using System.Globalization;
using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>Users and groups by name, from wherever this machine has them (nsswitch.conf). May ask a server: not for loops.</summary>
public static unsafe class Accounts
{
    private const int FirstBuffer = 1024;
    private const int LargestBuffer = 1 << 20;      // a group may have many members
    private const int RangeError = 34;              // ERANGE: the buffer is too small

    private const uint NoId = uint.MaxValue;

    private delegate int Lookup(byte* name, byte* buffer, nuint length, out uint id);

    /// <summary>The id of a user.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Null when there is none.</returns>
    public static uint? FindUser(string name) => Find(name, static (byte* name, byte* buffer, nuint length, out uint id) =>
    {
        Passwd entry;
        Passwd* found;
        int error = Libc.getpwnam_r(name, &entry, buffer, length, &found);
        id = found == null ? NoId : found->UserId;
        return error;
    });

    /// <summary>The id of a group.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>Null when there is none.</returns>
    public static uint? FindGroup(string name) => Find(name, static (byte* name, byte* buffer, nuint length, out uint id) =>
    {
        Group entry;
        Group* found;
        int error = Libc.getgrnam_r(name, &entry, buffer, length, &found);
        id = found == null ? NoId : found->GroupId;
        return error;
    });

    /// <summary>The id of a user given by name or number.</summary>
    /// <param name="text">A name, or an id in decimal.</param>
    /// <returns>Null when there is no such name, or the number is none.</returns>
    public static uint? ParseUser(string text) => Parse(text, FindUser);

    /// <summary>The id of a group given by name or number.</summary>
    /// <param name="text">A name, or an id in decimal.</param>
    /// <returns>Null when there is no such name, or the number is none.</returns>
    public static uint? ParseGroup(string text) => Parse(text, FindGroup);

    private static uint? Parse(string text, Func<string, uint?> find)
    {
        if (text.Length == 0 || text.Contains('\0', StringComparison.Ordinal)) return null;
        if (!text.All(char.IsAsciiDigit)) return find(text);

        // The largest number is none: chown(2) takes it for "as it is".
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint id) && id != NoId ? id : null;
    }

    private static uint? Find(string name, Lookup lookup)
    {
        for (int length = FirstBuffer; length <= LargestBuffer; length *= 4)
        {
            // SAFETY: the name is terminated and pinned; the functions write their strings within the buffer and its length.
            fixed (byte* text = ThisProcess.ZeroTerminated(name))
            fixed (byte* buffer = new byte[length])
            {
                if (lookup(text, buffer, (nuint)length, out uint id) == RangeError) continue;
                return id == NoId ? null : id;
            }
        }

        return null;
    }

    /// <summary>struct passwd, as far as it is read; glibc and musl lay it out alike on 64 bit.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct Passwd
    {
        [FieldOffset(16)] internal uint UserId;
    }

    /// <summary>struct group, likewise.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct Group
    {
        [FieldOffset(16)] internal uint GroupId;
    }
}
