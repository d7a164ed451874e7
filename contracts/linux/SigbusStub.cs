using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>
/// Makes the machine code of the SIGBUS handler. In words, for both machines:
/// <code>
/// handler(signal, info, context):
///     if info.si_code is BUS_ADRERR or BUS_MCEERR_AR:
///         for each row of the table:
///             version = row.version; skip if odd or if si_addr is not in [start, end) or if the version has changed meanwhile
///             row.poisoned = 1                               // before anybody can see the zeros
///             mmap(page of si_addr, page size, read|write, private|anonymous|fixed|noreserve) and return if it worked
///             mmap(start, end - start, same) and return if it worked   // page by page can run out of map entries, whole cannot
///     if previous handler: jump to it with the same arguments
///     rt_sigaction(SIGBUS, default); if nobody's access raised it, raise it again; return     // the process ends
/// </code>
/// </summary>
internal static partial class SigbusStub
{
    private const int SiCodeAt = 8;
    private const int SiAddrAt = 16;
    private const int BusAddressError = 2;
    private const int BusMemoryErrorActionRequired = 4;
    private const int ProtReadWrite = 3;
    private const int MapPrivateAnonymousFixedNoReserve = 0x02 | 0x20 | 0x10 | 0x4000;
    private const int SigBus = 7;

    /// <summary>The code for this process.</summary>
    /// <param name="table">First row.</param>
    /// <param name="tableEnd">Behind the last row.</param>
    /// <param name="previousSlot">Where the previous handler's address stands, 0 for the default action.</param>
    /// <param name="defaultAction">A zeroed struct sigaction.</param>
    /// <returns>The code, or null where we have no encoder.</returns>
    internal static byte[]? Emit(nint table, nint tableEnd, nint previousSlot, nint defaultAction) =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => EmitX64(table, tableEnd, previousSlot, defaultAction),
            Architecture.Arm64 => EmitArm64(table, tableEnd, previousSlot, defaultAction),
            _ => null,
        };

    internal enum Label
    {
        Search,
        Loop,
        Next,
        Found,
        Done,
        Chain,
        Default,
        Out,
    }
}
