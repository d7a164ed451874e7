namespace NicHost.Dio.Windows;

/// <summary>Codes of Windows that mean something here (winerror.h, ntstatus.h; HCN's from its reference).</summary>
internal static class WindowsError
{
    public const int FileNotFound = 2;
    public const int PathNotFound = 3;
    public const int AccessDenied = 5;
    public const int InvalidHandle = 6;
    public const int SharingViolation = 32;
    public const int AlreadyAssigned = 85;
    public const int Busy = 170;
    public const int AlreadyExists = 183;
    public const int WaitTimeout = 258;
    public const int IoPending = 997;
    public const int NotFound = 1168;
    public const int Timeout = 1460;
    public const int ObjectAlreadyExists = 5010;
    public const int NetworkNotFound = unchecked((int)0x803b0001);
    public const int SwitchNotFound = unchecked((int)0x803b0004);
    public const int PortNotFound = unchecked((int)0x803b0007);

    public const uint StatusSuccess = 0;
    public const uint StatusPending = 0x103;
    public const uint StatusBufferOverflow = 0x80000005;
    public const uint StatusCancelled = 0xc0000120;

    /// <summary>The code within an HRESULT of the Windows facility (0x8007xxxx); others stay as they are.</summary>
    public static int FromResult(int result) => (result & unchecked((int)0xffff0000)) == unchecked((int)0x80070000) ? result & 0xffff : result;

    public static bool IsNotFound(int code) => code is FileNotFound or PathNotFound or NotFound or NetworkNotFound or SwitchNotFound or PortNotFound;

    public static bool IsTaken(int code) => code is AlreadyExists or ObjectAlreadyExists or Busy or SharingViolation or AlreadyAssigned;

    public static bool IsTimeout(int code) => code is Timeout or WaitTimeout;

    public static string Describe(int code) => code switch
    {
        AccessDenied => "access denied (5)",
        _ when IsNotFound(code) => $"not found ({Number(code)})",
        _ when IsTaken(code) => $"taken ({Number(code)})",
        _ when IsTimeout(code) => $"timed out ({Number(code)})",
        _ => $"Windows error {Number(code)}",
    };

    private static string Number(int code) => code < 0 ? $"0x{code:x8}" : $"{code}";
}

/// <summary>Windows refused a call.</summary>
/// <param name="call">Its name.</param>
/// <param name="code">A Windows error, or an HRESULT.</param>
internal sealed class VmSwitchException(string call, int code) : IOException($"{call}: {WindowsError.Describe(WindowsError.FromResult(code))}")
{
    /// <summary>A Windows error, or an HRESULT of another facility.</summary>
    public int Code { get; } = WindowsError.FromResult(code);
}
