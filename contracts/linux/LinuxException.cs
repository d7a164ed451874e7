using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>A failed system call in set-up code. The data path gets a <see cref="SysResult"/> instead.</summary>
public sealed class LinuxException : IOException
{
    /// <summary>Creates the exception for one failed call.</summary>
    /// <param name="errno">What the kernel said.</param>
    /// <param name="what">What was tried, for a reader who sees only this line, such as <c>bind /run/web.sock</c>.</param>
    public LinuxException(Errno errno, string what)
        : base($"{what}: {Describe(errno)}", (int)errno)
    {
        Errno = errno;
        What = what;
    }

    /// <summary>The kernel's error number.</summary>
    public Errno Errno { get; }

    /// <summary>What was tried.</summary>
    public string What { get; }

    /// <summary>Name and text of an error number, such as <c>ENOENT (No such file or directory)</c>.</summary>
    /// <param name="errno">The number.</param>
    public static string Describe(Errno errno) => $"{errno} ({Marshal.GetPInvokeErrorMessage((int)errno)})";
}
