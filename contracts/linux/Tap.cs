using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Linux;

/// <summary>Flags of TUN and TAP interfaces (linux/if_tun.h).</summary>
[Flags]
public enum TapFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>IP packets.</summary>
    Tun = 0x1,
    /// <summary>Ethernet frames.</summary>
    Tap = 0x2,
    /// <summary>Several queues.</summary>
    MultiQueue = 0x100,
    /// <summary>With TUNSETQUEUE: frames come to this queue.</summary>
    AttachQueue = 0x200,
    /// <summary>With TUNSETQUEUE: no frames come to this queue.</summary>
    DetachQueue = 0x400,
    /// <summary>It outlives those who opened it.</summary>
    Persist = 0x800,
    /// <summary>No protocol word before a frame.</summary>
    NoPacketInfo = 0x1000,
    /// <summary>A virtio-net header before a frame.</summary>
    VnetHeader = 0x4000,
    /// <summary>With TUNSETIFF: only a new one.</summary>
    Exclusive = 0x8000,
}

/// <summary>What a TAP's reader takes from the kernel (TUN_F constants).</summary>
[Flags]
public enum TapOffloads : uint
{
    /// <summary>Nothing: whole frames with whole checksums.</summary>
    None = 0,
    /// <summary>Open checksums.</summary>
    Checksum = 0x01,
    /// <summary>TCP super-frames over IPv4.</summary>
    Tso4 = 0x02,
    /// <summary>TCP super-frames over IPv6.</summary>
    Tso6 = 0x04,
    /// <summary>TCP super-frames with CWR.</summary>
    TsoEcn = 0x08,
    /// <summary>UDP super-frames over both (Linux 6.2).</summary>
    Uso = 0x20 | 0x40,
}

/// <summary>TAP interfaces through /dev/net/tun.</summary>
public static unsafe class Tap
{
    /// <summary>The longest name of an interface in bytes.</summary>
    public const int MaxNameLength = 15;

    private const nuint SetIff = 0x400454ca, SetPersist = 0x400454cb, SetOwner = 0x400454cc, SetGroup = 0x400454ce, SetOffload = 0x400454d0;
    private const nuint GetIff = 0x800454d2, SetSndBuf = 0x400454d4, SetVnetHdrSz = 0x400454d8, SetQueue = 0x400454d9, SetCarrierState = 0x400454e2;
    private const nuint GetHardwareAddress = 0x8927;

    /// <summary>Opens a TAP of this name, or makes it where the caller may. The descriptor is non-blocking.</summary>
    /// <param name="name">Up to 15 bytes.</param>
    /// <param name="flags">Beyond <see cref="TapFlags.Tap"/> and <see cref="TapFlags.NoPacketInfo"/>, which are added.</param>
    /// <param name="fd">A queue of it.</param>
    /// <returns>The kernel's error: EPERM not allowed, EBUSY taken, EINVAL of another kind.</returns>
    public static SysResult Open(string name, TapFlags flags, out Fd? fd)
    {
        fd = null;
        SysResult opened = Io.Open("/dev/net/tun", FileAccess.ReadWrite, nonBlocking: true);
        if (opened.Failed) return opened;
        Fd device = new(opened.Fd);
        Request request = new() { Flags = (ushort)(flags | TapFlags.Tap | TapFlags.NoPacketInfo) };
        Write(name, ref request);
        SysResult result = Io.Ioctl(device.Raw, SetIff, ref request);
        if (result.Ok) fd = device;
        else device.Dispose();
        return result;
    }

    /// <summary>What an open descriptor is a queue of.</summary>
    /// <param name="fd">Any descriptor.</param>
    /// <param name="name">The interface's name.</param>
    /// <param name="flags">Its flags.</param>
    /// <returns>EBADFD when it is no queue of any interface, ENOTTY and the like when it is something else.</returns>
    public static SysResult Identify(int fd, out string name, out TapFlags flags)
    {
        Request request = default;
        SysResult result = Io.Ioctl(fd, GetIff, ref request);
        name = result.Ok ? Marshal.PtrToStringUTF8((nint)Unsafe.AsPointer(ref request.Name)) ?? "" : "";
        flags = (TapFlags)request.Flags;
        return result;
    }

    /// <summary>The interface's own hardware address as a number.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="mac">First byte on the wire in bits 47 to 40.</param>
    public static SysResult GetMac(int fd, out ulong mac)
    {
        Request request = default;
        SysResult result = Io.Ioctl(fd, GetHardwareAddress, ref request);
        mac = 0;
        byte* address = (byte*)Unsafe.AsPointer(ref request.Flags) + sizeof(ushort);
        for (int i = 0; i < 6; i++) mac = (mac << 8) | address[i];
        return result;
    }

    /// <summary>Bytes of the virtio-net header before each frame.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="size">10 or more.</param>
    public static SysResult SetHeaderSize(int fd, int size) => Io.Ioctl(fd, SetVnetHdrSz, ref size);

    /// <summary>What readers of this interface take. For all its queues.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="offloads">EINVAL when the kernel knows less.</param>
    public static SysResult SetOffloads(int fd, TapOffloads offloads) => Io.Ioctl(fd, SetOffload, (nint)(uint)offloads);

    /// <summary>How many bytes may be on their way through the kernel before a write would block.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="bytes">Bytes.</param>
    public static SysResult SetSendBuffer(int fd, int bytes) => Io.Ioctl(fd, SetSndBuf, ref bytes);

    /// <summary>Lets frames come to this queue, or not. Of an interface of several queues.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="attached">Whether they come.</param>
    public static SysResult SetAttached(int fd, bool attached)
    {
        Request request = new() { Flags = (ushort)(attached ? TapFlags.AttachQueue : TapFlags.DetachQueue) };
        return Io.Ioctl(fd, SetQueue, ref request);
    }

    /// <summary>Shows the kernel's side a carrier, or none.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="up">Whether there is one.</param>
    public static SysResult SetCarrier(int fd, bool up)
    {
        int value = up ? 1 : 0;
        return Io.Ioctl(fd, SetCarrierState, ref value);
    }

    /// <summary>Lets the interface outlive its descriptors, or not.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="persistent">Whether it does.</param>
    public static SysResult MakePersistent(int fd, bool persistent) => Io.Ioctl(fd, SetPersist, persistent ? 1 : 0);

    /// <summary>Says who may open it without privilege.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="user">A user's id.</param>
    public static SysResult ChangeOwner(int fd, uint user) => Io.Ioctl(fd, SetOwner, (nint)user);

    /// <summary>Says whose members may open it without privilege.</summary>
    /// <param name="fd">A queue.</param>
    /// <param name="group">A group's id.</param>
    public static SysResult ChangeGroup(int fd, uint group) => Io.Ioctl(fd, SetGroup, (nint)group);

    private static void Write(string name, ref Request request)
    {
        int length = Encoding.UTF8.GetByteCount(name);
        if (length > MaxNameLength) throw new LinuxException(Errno.ENAMETOOLONG, $"interface name '{name}' has {length} bytes, 1 to {MaxNameLength} are possible");

        // SAFETY: the field has 16 bytes, all zero before.
        Encoding.UTF8.GetBytes(name, new Span<byte>(Unsafe.AsPointer(ref request.Name), MaxNameLength));
    }

    /// <summary>struct ifreq with its flags.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    private struct Request
    {
        [FieldOffset(0)] internal byte Name;
        [FieldOffset(16)] internal ushort Flags;
    }
}
