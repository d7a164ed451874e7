using System.Runtime.InteropServices;

namespace NicHost.Dio.Windows;

/// <summary>
/// A row of overlapped operations of one kind, each with its buffer, in memory that does not move. Once started, an operation and its buffer are
/// the kernel's until they are done: whoever disposes this has seen all of them done.
/// </summary>
/// <param name="count">How many, at most 32.</param>
/// <param name="bufferSize">Bytes of each buffer.</param>
/// <param name="done">Set by the kernel whenever one is done.</param>
internal sealed unsafe class Operations(int count, int bufferSize, EventWaitHandle done) : IDisposable
{
    private readonly byte* _buffers = (byte*)NativeMemory.AlignedAlloc((nuint)(count * bufferSize), 64);
    private readonly IoOperation* _operations = (IoOperation*)NativeMemory.AllocZeroed((nuint)count, (nuint)sizeof(IoOperation));
    private readonly nint _event = done.SafeWaitHandle.DangerousGetHandle();
    private uint _running;

    public int Count => count;

    /// <summary>Whether every one runs.</summary>
    public bool AreAllRunning => _running == All;

    /// <summary>How many run, or are done and not collected.</summary>
    public int Running => System.Numerics.BitOperations.PopCount(_running);

    /// <summary>One that does not run; there is one.</summary>
    public int Free => System.Numerics.BitOperations.TrailingZeroCount(~_running);

    public bool IsRunning(int index) => (_running & (1u << index)) != 0;

    /// <summary>A buffer; the caller's while its operation does not run.</summary>
    public byte* Buffer(int index) => _buffers + ((uint)index * (uint)bufferSize);

    /// <summary>An operation, ready to be started.</summary>
    public IoOperation* Ready(int index)
    {
        // SAFETY: index < count, and the operation does not run.
        _operations[index] = new IoOperation { Event = _event };
        return _operations + index;
    }

    /// <summary>Notes what starting one has returned.</summary>
    /// <returns>Whether it runs, or is done already, to be collected in either case.</returns>
    public bool Started(int index, int error)
    {
        if (error is not (0 or WindowsError.IoPending)) return false;
        _running |= 1u << index;
        return true;
    }

    /// <summary>Whether one that runs is done; then it is collected.</summary>
    /// <param name="index">Which.</param>
    /// <param name="status">How it ended.</param>
    /// <param name="length">Bytes carried, as the kernel says.</param>
    public bool TryCollect(int index, out uint status, out ulong length)
    {
        // SAFETY: index < count. The kernel writes the status last: what it has written before is read after it.
        status = (uint)Volatile.Read(ref _operations[index].Status);
        length = _operations[index].Count;
        if (status == WindowsError.StatusPending) return false;
        _running &= ~(1u << index);
        return true;
    }

    /// <summary>Collects all that are done.</summary>
    public void CollectDone()
    {
        for (var left = _running; left != 0; left &= left - 1) TryCollect(System.Numerics.BitOperations.TrailingZeroCount(left), out _, out _);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_buffers);
        NativeMemory.Free(_operations);
    }

    private uint All => count == 32 ? uint.MaxValue : (1u << count) - 1;
}
