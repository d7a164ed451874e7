using System.Runtime.InteropServices;

namespace NicHost.Linux;

/// <summary>One row of the handler's table. The handler reads it while other threads write it: see <see cref="Version"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal struct GuardEntry
{
    internal const int Size = 40;
    internal const int VersionAt = 0;
    internal const int PoisonedAt = 4;
    internal const int StartAt = 8;
    internal const int EndAt = 16;
    internal const int PageSizeAt = 24;

    /// <summary>Odd while the row is being written; the handler skips rows that are odd or that changed while it read them.</summary>
    [FieldOffset(VersionAt)] internal uint Version;
    [FieldOffset(PoisonedAt)] internal uint Poisoned;
    [FieldOffset(StartAt)] internal nuint Start;
    [FieldOffset(EndAt)] internal nuint End;
    [FieldOffset(PageSizeAt)] internal nuint PageSize;
    [FieldOffset(32)] internal uint InUse;
}

/// <summary>
/// Keeps the process alive when a peer shrinks a file that we have mapped. Loads and stores beyond the new end raise SIGBUS; the handler
/// puts zeroed private memory in place of the lost page, marks the range as poisoned and lets the access go on.
/// <para>
/// The handler is machine code made here, not managed code: a signal can hit a thread at any instruction, where the runtime cannot run.
/// It makes one system call and touches nothing but its table. Signals that are not about a registered range go on to the handler that was
/// there before, so several copies of this class (one in each plugin) form a chain.
/// </para>
/// </summary>
public static unsafe class SigbusGuard
{
    internal const int MaxRanges = 4096;

    private const int SigBus = 7;

    internal static readonly Lock Sync = new();

    private static GuardEntry* s_table;
    private static bool s_installed;
    private static bool s_unsupported;

    /// <summary>Guards a mapping of a file.</summary>
    /// <param name="address">Where the mapping starts.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="pageSize">
    /// The size of the mapping's pages, a power of two; 0 for the system's. Huge pages can only be replaced whole: see <see cref="VirtualMemory.PageSizeOf"/>.
    /// </param>
    /// <returns>The guard; to be disposed before the memory is unmapped.</returns>
    public static GuardedRange Register(nint address, nuint length, nuint pageSize = 0)
    {
        if (pageSize == 0) pageSize = (nuint)VirtualMemory.PageSize;
        lock (Sync)
        {
            if (!Install()) return GuardedRange.Unsupported();
            GuardEntry* entry = FindFree();
            if (entry == null) return GuardedRange.Unsupported();
            nuint start = (nuint)address & ~(pageSize - 1);
            nuint end = ((nuint)address + length + pageSize - 1) & ~(pageSize - 1);
            Write(entry, start, end, pageSize, inUse: 1);
            return new GuardedRange(entry);
        }
    }

    internal static void Release(GuardEntry* entry) => Write(entry, 0, 0, 0, inUse: 0);

    internal static GuardEntry* AllocateEntries(int count) =>
        (GuardEntry*)NativeMemory.AllocZeroed((nuint)count, GuardEntry.Size);

    private static void Write(GuardEntry* entry, nuint start, nuint end, nuint pageSize, uint inUse)
    {
        // SAFETY: a row of the table, which is never freed; writers hold Sync.
        Volatile.Write(ref entry->Version, entry->Version + 1);
        Thread.MemoryBarrier();
        entry->Start = start;
        entry->End = end;
        entry->PageSize = pageSize;
        entry->InUse = inUse;
        entry->Poisoned = 0;
        Thread.MemoryBarrier();
        Volatile.Write(ref entry->Version, entry->Version + 1);
    }

    private static GuardEntry* FindFree()
    {
        for (int i = 0; i < MaxRanges; i++)
        {
            // SAFETY: i is below the table's length.
            if (s_table[i].InUse == 0) return s_table + i;
        }

        return null;
    }

    private static bool Install()
    {
        if (s_installed || s_unsupported) return s_installed;
        s_table = AllocateEntries(MaxRanges);
        SigAction old = default;
        s_unsupported = Libc.sigaction(SigBus, null, &old) != 0 || !TryInstall(old);
        s_installed = !s_unsupported;
        return s_installed;
    }

    private static bool TryInstall(SigAction old)
    {
        // The stub reads this slot at each signal: what the kernel reports as the previous handler at the moment of the
        // installation is what counts, and that is known only afterwards.
        nint* previous = (nint*)NativeMemory.AllocZeroed((nuint)sizeof(SigAction) + (nuint)sizeof(nint));
        byte[]? code = SigbusStub.Emit((nint)s_table, (nint)(s_table + MaxRanges), (nint)previous, (nint)(previous + 1));
        if (code is null) return false;
        nint stub = MakeExecutable(code);
        if (stub == 0) return false;
        *previous = Chain(old);

        // The handler before us may rely on how it was called: same stack, same mask, same restart.
        SigAction action = old;
        action.Handler = stub;
        action.Flags = old.Handler is 0 or 1
            ? SigAction.SaSigInfo | SigAction.SaOnStack | SigAction.SaRestart
            : (old.Flags & (SigAction.SaOnStack | SigAction.SaRestart | SigAction.SaNoDefer)) | SigAction.SaSigInfo;
        SigAction replaced = default;
        if (Libc.sigaction(SigBus, &action, &replaced) != 0) return false;
        Volatile.Write(ref *previous, Chain(replaced));
        return true;
    }

    /// <summary>0 stands for the default action in the stub. An ignored SIGBUS is not ignored by the kernel either when an access caused it.</summary>
    private static nint Chain(in SigAction action) => action.Handler is 1 ? 0 : action.Handler;

    private static nint MakeExecutable(byte[] code)
    {
        nuint length = (nuint)VirtualMemory.PageSize;
        SysResult page = VirtualMemory.MapAnonymousMemory(length, Protection.ReadWrite);
        if (page.Failed) return 0;

        // SAFETY: the stub is far smaller than a page (asserted by its tests).
        code.CopyTo(new Span<byte>((void*)page.Value, (int)length));

        // Where caches are not coherent (arm64) the kernel cleans them when a page becomes executable.
        if (VirtualMemory.Protect(page.Value, length, Protection.Read | Protection.Execute).Ok) return page.Value;
        VirtualMemory.Unmap(page.Value, length);
        return 0;
    }
}
