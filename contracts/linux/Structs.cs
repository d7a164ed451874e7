using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>struct timespec of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    internal long Seconds;
    internal long Nanoseconds;
}

/// <summary>struct itimerspec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimerSpec
{
    internal TimeSpec Interval;
    internal TimeSpec Value;
}

/// <summary>struct rlimit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RLimit
{
    internal ulong Soft;
    internal ulong Hard;
}

/// <summary>struct statfs: the first two words are all that is needed; the rest is room.</summary>
[StructLayout(LayoutKind.Sequential, Size = 160)]
internal struct StatFs
{
    internal long Type;
    internal long BlockSize;
}

/// <summary>struct statx (linux/stat.h), which unlike struct stat looks the same on all architectures.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct StatX
{
    internal const uint MaskTypeModeSize = 0x1 | 0x2 | 0x200;
    internal const uint MaskBasic = 0x7ff;
    internal const uint MaskBorn = 0x800;
    internal const int AtEmptyPath = 0x1000;
    internal const int AtSymlinkNoFollow = 0x100;
    internal const int AtFdCwd = -100;
    internal const int FormatMask = 0xF000;
    internal const int FormatSocket = 0xC000;
    internal const int FormatFolder = 0x4000;
    internal const int FormatRegular = 0x8000;

    [FieldOffset(0)] internal uint Mask;
    [FieldOffset(20)] internal uint User;
    [FieldOffset(24)] internal uint Group;
    [FieldOffset(28)] internal ushort Mode;
    [FieldOffset(32)] internal ulong Inode;
    [FieldOffset(40)] internal ulong Size;
    [FieldOffset(80)] internal long BornSeconds;
    [FieldOffset(88)] internal uint BornNanoseconds;
    [FieldOffset(136)] internal uint DeviceMajor;
    [FieldOffset(140)] internal uint DeviceMinor;
}

/// <summary>struct sigaction as glibc and musl lay it out on 64 bit: a mask of 1024 bits.</summary>
[StructLayout(LayoutKind.Explicit, Size = 152)]
internal struct SigAction
{
    internal const int SaSigInfo = 0x4;
    internal const int SaOnStack = 0x0800_0000;
    internal const int SaRestart = 0x1000_0000;
    internal const int SaNoDefer = 0x4000_0000;

    [FieldOffset(0)] internal nint Handler;
    [FieldOffset(136)] internal int Flags;
    [FieldOffset(144)] internal nint Restorer;
}
