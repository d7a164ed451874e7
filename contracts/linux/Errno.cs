namespace NicHost.Linux;

/// <summary>Error numbers as Linux numbers them on x64 and arm64 (asm-generic/errno-base.h and errno.h).</summary>
public enum Errno
{
    /// <summary>No error.</summary>
    None = 0,
    /// <summary>Operation not permitted.</summary>
    EPERM = 1,
    /// <summary>No such file or directory.</summary>
    ENOENT = 2,
    /// <summary>No such process.</summary>
    ESRCH = 3,
    /// <summary>Interrupted system call. The wrappers here retry it, so callers see it only where stated.</summary>
    EINTR = 4,
    /// <summary>Input/output error.</summary>
    EIO = 5,
    /// <summary>No such device or address.</summary>
    ENXIO = 6,
    /// <summary>Argument list too long.</summary>
    E2BIG = 7,
    /// <summary>Bad file descriptor.</summary>
    EBADF = 9,
    /// <summary>No child processes.</summary>
    ECHILD = 10,
    /// <summary>Try again; the same number as EWOULDBLOCK.</summary>
    EAGAIN = 11,
    /// <summary>Out of memory, or out of map entries.</summary>
    ENOMEM = 12,
    /// <summary>Permission denied.</summary>
    EACCES = 13,
    /// <summary>Bad address: a buffer is not (or no longer) backed by memory.</summary>
    EFAULT = 14,
    /// <summary>Device or resource busy.</summary>
    EBUSY = 16,
    /// <summary>File exists.</summary>
    EEXIST = 17,
    /// <summary>No such device.</summary>
    ENODEV = 19,
    /// <summary>Not a directory.</summary>
    ENOTDIR = 20,
    /// <summary>Is a directory.</summary>
    EISDIR = 21,
    /// <summary>Invalid argument.</summary>
    EINVAL = 22,
    /// <summary>Too many open files in the system.</summary>
    ENFILE = 23,
    /// <summary>Too many open files in this process.</summary>
    EMFILE = 24,
    /// <summary>Inappropriate ioctl for the device.</summary>
    ENOTTY = 25,
    /// <summary>File too large.</summary>
    EFBIG = 27,
    /// <summary>No space left on device.</summary>
    ENOSPC = 28,
    /// <summary>Illegal seek.</summary>
    ESPIPE = 29,
    /// <summary>Read-only file system.</summary>
    EROFS = 30,
    /// <summary>Broken pipe.</summary>
    EPIPE = 32,
    /// <summary>Numerical result out of range.</summary>
    ERANGE = 34,
    /// <summary>File name too long.</summary>
    ENAMETOOLONG = 36,
    /// <summary>Function not implemented.</summary>
    ENOSYS = 38,
    /// <summary>Too many symbolic links.</summary>
    ELOOP = 40,
    /// <summary>No data available.</summary>
    ENODATA = 61,
    /// <summary>Timer expired.</summary>
    ETIME = 62,
    /// <summary>Protocol error.</summary>
    EPROTO = 71,
    /// <summary>Not a data message.</summary>
    EBADMSG = 74,
    /// <summary>Value too large for the data type.</summary>
    EOVERFLOW = 75,
    /// <summary>Descriptor in a bad state: a TAP's queue whose interface is gone.</summary>
    EBADFD = 77,
    /// <summary>Too many users, or too many descriptors in flight (see also ETOOMANYREFS).</summary>
    EUSERS = 87,
    /// <summary>Socket operation on a descriptor that is no socket.</summary>
    ENOTSOCK = 88,
    /// <summary>Destination address required.</summary>
    EDESTADDRREQ = 89,
    /// <summary>Message too long.</summary>
    EMSGSIZE = 90,
    /// <summary>Wrong protocol type for the socket.</summary>
    EPROTOTYPE = 91,
    /// <summary>Protocol option not available.</summary>
    ENOPROTOOPT = 92,
    /// <summary>Protocol not supported.</summary>
    EPROTONOSUPPORT = 93,
    /// <summary>Socket type not supported.</summary>
    ESOCKTNOSUPPORT = 94,
    /// <summary>Operation not supported.</summary>
    EOPNOTSUPP = 95,
    /// <summary>Protocol family not supported.</summary>
    EPFNOSUPPORT = 96,
    /// <summary>Address family not supported.</summary>
    EAFNOSUPPORT = 97,
    /// <summary>Address already in use.</summary>
    EADDRINUSE = 98,
    /// <summary>Cannot assign the requested address.</summary>
    EADDRNOTAVAIL = 99,
    /// <summary>Network is down.</summary>
    ENETDOWN = 100,
    /// <summary>Network is unreachable.</summary>
    ENETUNREACH = 101,
    /// <summary>Connection lost because of a reset.</summary>
    ENETRESET = 102,
    /// <summary>Connection aborted by software.</summary>
    ECONNABORTED = 103,
    /// <summary>Connection reset by the peer.</summary>
    ECONNRESET = 104,
    /// <summary>No buffer space available.</summary>
    ENOBUFS = 105,
    /// <summary>Already connected.</summary>
    EISCONN = 106,
    /// <summary>Not connected.</summary>
    ENOTCONN = 107,
    /// <summary>Cannot send after shutdown.</summary>
    ESHUTDOWN = 108,
    /// <summary>Too many descriptors in flight over UNIX sockets.</summary>
    ETOOMANYREFS = 109,
    /// <summary>Connection timed out.</summary>
    ETIMEDOUT = 110,
    /// <summary>Connection refused.</summary>
    ECONNREFUSED = 111,
    /// <summary>Host is down.</summary>
    EHOSTDOWN = 112,
    /// <summary>No route to host.</summary>
    EHOSTUNREACH = 113,
    /// <summary>Already in progress.</summary>
    EALREADY = 114,
    /// <summary>Now in progress.</summary>
    EINPROGRESS = 115,
    /// <summary>Operation cancelled.</summary>
    ECANCELED = 125,
    /// <summary>Memory page has a hardware error.</summary>
    EHWPOISON = 133,
}
