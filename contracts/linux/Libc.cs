using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// libc as declared by POSIX and Linux. Everything is blittable. The variadic ones (fcntl, ioctl, prctl, open) are declared with
/// fixed arguments: on x64 and arm64 Linux integers are passed alike in both forms.
/// </summary>
internal static unsafe partial class Libc
{
    private const string C = "libc";

    // Files and descriptors
    [LibraryImport(C, SetLastError = true)] internal static partial nint read(int fd, void* buffer, nuint count);
    [LibraryImport(C, SetLastError = true)] internal static partial nint write(int fd, void* buffer, nuint count);
    [LibraryImport(C, SetLastError = true)] internal static partial nint readv(int fd, IoVec* iov, int count);
    [LibraryImport(C, SetLastError = true)] internal static partial nint writev(int fd, IoVec* iov, int count);
    [LibraryImport(C, SetLastError = true)] internal static partial int close(int fd);
    [LibraryImport(C, SetLastError = true)] internal static partial int fcntl(int fd, int command, nint argument);
    [LibraryImport(C, SetLastError = true)] internal static partial int ioctl(int fd, nuint request, void* argument);
    [LibraryImport(C, SetLastError = true)] internal static partial int poll(PollFd* fds, nuint count, int timeoutMs);
    [LibraryImport(C, SetLastError = true)] internal static partial int open(byte* path, int flags, uint mode);
    [LibraryImport(C, SetLastError = true)] internal static partial int unlink(byte* path);
    [LibraryImport(C, SetLastError = true)] internal static partial int chmod(byte* path, uint mode);
    [LibraryImport(C, SetLastError = true)] internal static partial int fchmod(int fd, uint mode);
    [LibraryImport(C, SetLastError = true)] internal static partial int lchown(byte* path, uint owner, uint group);
    [LibraryImport(C, SetLastError = true)] internal static partial int ftruncate(int fd, long length);
    [LibraryImport(C, SetLastError = true)] internal static partial int fstatfs(int fd, StatFs* stat);
    [LibraryImport(C, SetLastError = true)] internal static partial int statx(int directory, byte* path, int flags, uint mask, StatX* stat);
    [LibraryImport(C, SetLastError = true)] internal static partial int memfd_create(byte* name, uint flags);

    // Readiness
    [LibraryImport(C, SetLastError = true)] internal static partial int epoll_create1(int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int epoll_ctl(int epoll, int operation, int fd, void* e);
    [LibraryImport(C, SetLastError = true)] internal static partial int epoll_wait(int epoll, void* events, int count, int timeoutMs);
    [LibraryImport(C, SetLastError = true)] internal static partial int eventfd(uint value, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int timerfd_create(int clock, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int timerfd_settime(int fd, int flags, TimerSpec* value, TimerSpec* old);

    [LibraryImport(C, SetLastError = true)] internal static partial int inotify_init1(int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int inotify_add_watch(int fd, byte* path, uint mask);
    [LibraryImport(C, SetLastError = true)] internal static partial int inotify_rm_watch(int fd, int watch);

    // Sockets
    [LibraryImport(C, SetLastError = true)] internal static partial int socket(int family, int type, int protocol);
    [LibraryImport(C, SetLastError = true)] internal static partial int socketpair(int family, int type, int protocol, int* pair);
    [LibraryImport(C, SetLastError = true)] internal static partial int bind(int fd, void* address, uint length);
    [LibraryImport(C, SetLastError = true)] internal static partial int connect(int fd, void* address, uint length);
    [LibraryImport(C, SetLastError = true)] internal static partial int listen(int fd, int backlog);
    [LibraryImport(C, SetLastError = true)] internal static partial int accept4(int fd, void* address, uint* length, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int getsockname(int fd, void* address, uint* length);
    [LibraryImport(C, SetLastError = true)] internal static partial int getpeername(int fd, void* address, uint* length);
    [LibraryImport(C, SetLastError = true)] internal static partial int shutdown(int fd, int how);
    [LibraryImport(C, SetLastError = true)] internal static partial int setsockopt(int fd, int level, int name, void* value, uint length);
    [LibraryImport(C, SetLastError = true)] internal static partial int getsockopt(int fd, int level, int name, void* value, uint* length);
    [LibraryImport(C, SetLastError = true)] internal static partial nint send(int fd, void* buffer, nuint length, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial nint recv(int fd, void* buffer, nuint length, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial nint sendto(int fd, void* buffer, nuint length, int flags, void* address, uint addressLength);
    [LibraryImport(C, SetLastError = true)] internal static partial nint recvfrom(int fd, void* buffer, nuint length, int flags, void* address, uint* addressLength);
    [LibraryImport(C, SetLastError = true)] internal static partial nint sendmsg(int fd, MsgHdr* message, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial nint recvmsg(int fd, MsgHdr* message, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int sendmmsg(int fd, MMsgHdr* messages, uint count, int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int recvmmsg(int fd, MMsgHdr* messages, uint count, int flags, TimeSpec* timeout);
    [LibraryImport(C, SetLastError = true)] internal static partial uint if_nametoindex(byte* name);
    [LibraryImport(C, SetLastError = true)] internal static partial byte* if_indextoname(uint index, byte* name);

    // Memory
    [LibraryImport(C, SetLastError = true)] internal static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, long offset);
    [LibraryImport(C, SetLastError = true)] internal static partial int munmap(nint address, nuint length);
    [LibraryImport(C, SetLastError = true)] internal static partial int mprotect(nint address, nuint length, int protection);
    [LibraryImport(C, SetLastError = true)] internal static partial int madvise(nint address, nuint length, int advice);

    // Accounts: these return the error instead of setting errno
    [LibraryImport(C)] internal static partial int getpwnam_r(byte* name, Accounts.Passwd* entry, byte* buffer, nuint length, Accounts.Passwd** found);
    [LibraryImport(C)] internal static partial int getgrnam_r(byte* name, Accounts.Group* entry, byte* buffer, nuint length, Accounts.Group** found);

    // Process
    [LibraryImport(C)] internal static partial byte* gnu_get_libc_version();
    [LibraryImport(C, SetLastError = true)] internal static partial nint getrandom(void* buffer, nuint length, uint flags);
    [LibraryImport(C)] internal static partial uint getuid();
    [LibraryImport(C)] internal static partial uint geteuid();
    [LibraryImport(C)] internal static partial uint getgid();
    [LibraryImport(C, SetLastError = true)] internal static partial int sched_setscheduler(int pid, int policy, int* parameter);
    [LibraryImport(C, SetLastError = true)] internal static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);
    [LibraryImport(C, SetLastError = true)] internal static partial int setns(int fd, int type);
    [LibraryImport(C, SetLastError = true)] internal static partial int unshare(int flags);
    [LibraryImport(C, SetLastError = true)] internal static partial int getrlimit(int resource, RLimit* limit);
    [LibraryImport(C, SetLastError = true)] internal static partial int setrlimit(int resource, RLimit* limit);
    [LibraryImport(C, SetLastError = true)] internal static partial int clock_gettime(int clock, TimeSpec* time);
    [LibraryImport(C, SetLastError = true)] internal static partial int sigaction(int signal, SigAction* action, SigAction* old);
}
