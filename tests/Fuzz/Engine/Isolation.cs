using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace NicHost.Fuzz.Engine;

/// <summary>
/// Keeps random frames from going anywhere: the calling thread gets a network namespace of its own with nothing but loopback. Where that is
/// not allowed, <see cref="IsClosed"/> stays false and targets rewrite destinations instead.
/// </summary>
internal static partial class Isolation
{
    private const int NewNet = 0x4000_0000;
    private const int AfInet = 2;
    private const int SockDgram = 2;
    private const ulong GetFlags = 0x8913;
    private const ulong SetFlags = 0x8914;
    private const short Up = 1;

    [ThreadStatic]
    private static bool t_closed;

    /// <summary>Whether nothing that this thread sends can leave the machine.</summary>
    public static bool IsClosed => t_closed;

    /// <summary>Closes the calling thread in; sockets that it makes from now on see loopback only.</summary>
    public static bool Enter()
    {
        if (t_closed || HasLoopbackOnly()) return t_closed = true;
        if (Unshare(NewNet) != 0) return false;
        t_closed = true;
        BringLoopbackUp();
        return true;
    }

    private static bool HasLoopbackOnly()
    {
        var lines = File.ReadAllLines("/proc/thread-self/net/dev");
        var only = lines.Length == 3 && lines[2].TrimStart().StartsWith("lo:", StringComparison.Ordinal);
        if (only) BringLoopbackUp();
        return only;
    }

    private static unsafe void BringLoopbackUp()
    {
        var fd = Socket(AfInet, SockDgram, 0);
        // struct ifreq: 16 bytes of name, then a union that starts with the flags.
        Span<byte> request = stackalloc byte[40];
        request.Clear();
        "lo"u8.CopyTo(request);
        fixed (byte* p = request)
        {
            if (Ioctl(fd, GetFlags, p) == 0)
            {
                BinaryPrimitives.WriteInt16LittleEndian(request[16..], (short)(BinaryPrimitives.ReadInt16LittleEndian(request[16..]) | Up));
                _ = Ioctl(fd, SetFlags, p);
            }
        }
        _ = Close(fd);
    }

    [LibraryImport("libc", EntryPoint = "unshare")]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "socket")]
    private static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static unsafe partial int Ioctl(int fd, ulong request, byte* argument);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
