using System.Runtime.InteropServices;
using System.Text;

namespace NicHost.Linux;

/// <summary>What the process and the machine are asked outside the data path.</summary>
public static unsafe class ThisProcess
{
    /// <summary>setns/unshare: a mount namespace.</summary>
    public const int CloneNewNs = 0x0002_0000;
    /// <summary>setns/unshare: a user namespace.</summary>
    public const int CloneNewUser = 0x1000_0000;
    /// <summary>setns/unshare: a network namespace.</summary>
    public const int CloneNewNet = 0x4000_0000;

    private const int ClockMonotonic = 1;
    private const int SchedOther = 0;
    private const int SchedIdle = 5;
    private const int PrSetName = 15;
    private const int RLimitNoFile = 7;

    /// <summary>Real user id.</summary>
    public static uint UserId => Libc.getuid();

    /// <summary>Effective user id.</summary>
    public static uint EffectiveUserId => Libc.geteuid();

    /// <summary>Real group id.</summary>
    public static uint GroupId => Libc.getgid();

    /// <summary>The version of glibc that this process runs on; null on another C library.</summary>
    public static Version? GlibcVersion { get; } = FindGlibc();

    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public static long MonotonicNanoseconds
    {
        get
        {
            TimeSpec now;
            Libc.clock_gettime(ClockMonotonic, &now);
            return (now.Seconds * 1_000_000_000) + now.Nanoseconds;
        }
    }

    /// <summary>Fills a buffer from the kernel's random generator.</summary>
    /// <param name="buffer">Filled wholly.</param>
    /// <exception cref="LinuxException">The kernel has no getrandom.</exception>
    public static void FillRandom(Span<byte> buffer)
    {
        // SAFETY: pinned; the kernel writes at most the remaining length.
        fixed (byte* p = buffer)
        {
            int done = 0;
            while (done < buffer.Length)
            {
                if (!SysResult.Finished(Libc.getrandom(p + done, (nuint)(buffer.Length - done), 0), out SysResult result)) continue;
                done += (int)result.OrThrow("getrandom");
            }
        }
    }

    /// <summary>The index of a network interface of this network namespace.</summary>
    /// <param name="name">Such as <c>eth0</c>.</param>
    /// <returns>The index, or ENODEV.</returns>
    public static SysResult InterfaceIndex(string name)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ZeroTerminated(name))
        {
            uint index = Libc.if_nametoindex(p);
            return index == 0 ? SysResult.From(-1) : new SysResult((nint)index);
        }
    }

    /// <summary>The name of a network interface of this network namespace.</summary>
    /// <param name="index">Its index.</param>
    /// <returns>The name, or null when there is none.</returns>
    public static string? InterfaceName(uint index)
    {
        byte* name = stackalloc byte[16]; // IF_NAMESIZE
        return Libc.if_indextoname(index, name) == null ? null : Marshal.PtrToStringUTF8((nint)name);
    }

    /// <summary>Gives the calling thread SCHED_IDLE (it runs only when nothing else wants the core), or SCHED_OTHER again.</summary>
    /// <param name="idle">Whether idle.</param>
    public static SysResult SetIdlePriority(bool idle)
    {
        int priority = 0;
        return SysResult.From(Libc.sched_setscheduler(0, idle ? SchedIdle : SchedOther, &priority));
    }

    /// <summary>Names the calling thread for ps, top and perf.</summary>
    /// <param name="name">Cut after 15 bytes by the kernel.</param>
    public static SysResult SetThreadName(string name)
    {
        // SAFETY: the array is terminated and pinned.
        fixed (byte* p = ZeroTerminated(name))
        {
            return SysResult.From(Libc.prctl(PrSetName, (nuint)p, 0, 0, 0));
        }
    }

    /// <summary>setns(2): moves the calling thread into a namespace. For tests; the thread must then end, not return to a pool.</summary>
    /// <param name="fd">An open namespace file.</param>
    /// <param name="type">A CloneNew constant.</param>
    public static SysResult SetNamespace(int fd, int type) => SysResult.From(Libc.setns(fd, type));

    /// <summary>unshare(2) for the calling thread. For tests; the thread must then end, not return to a pool.</summary>
    /// <param name="flags">CloneNew constants.</param>
    public static SysResult Unshare(int flags) => SysResult.From(Libc.unshare(flags));

    /// <summary>Raises the soft limit on open descriptors to the hard limit.</summary>
    /// <returns>The limit now.</returns>
    public static SysResult RaiseFileLimit()
    {
        RLimit limit;
        SysResult result = SysResult.From(Libc.getrlimit(RLimitNoFile, &limit));
        if (result.Failed) return result;
        if (limit.Soft < limit.Hard)
        {
            limit.Soft = limit.Hard;
            result = SysResult.From(Libc.setrlimit(RLimitNoFile, &limit));
            if (result.Failed) return result;
        }

        return new SysResult((nint)Math.Min(limit.Soft, long.MaxValue));
    }

    private static Version? FindGlibc()
    {
        try
        {
            return Version.TryParse(Marshal.PtrToStringUTF8((nint)Libc.gnu_get_libc_version()), out Version? version) ? version : null;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    internal static byte[] ZeroTerminated(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }
}
