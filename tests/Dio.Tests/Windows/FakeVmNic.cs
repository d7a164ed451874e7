using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using NicHost.Dio.Windows;

namespace NicHost.Dio.Tests.Windows;

/// <summary>
/// Plays the kernel's part of overlapped reads and writes: it resets an operation's event at its start, keeps buffer and operation until it ends
/// them, writes the status last and then sets the event.
/// </summary>
internal sealed unsafe class FakeVmNic(FakeVmSwitch windows, VmNicIdentity identity) : IVmNic
{
    private readonly List<(nint Buffer, nint Operation)> _reads = [];
    private readonly List<(nint Buffer, int Length, nint Operation)> _writes = [];
    private readonly Dictionary<nint, EventWaitHandle> _events = [];
    private Guid? _port;

    public VmNicIdentity Identity => identity;

    /// <summary>Frames that were written, oldest first.</summary>
    public List<byte[]> Written { get; } = [];

    /// <summary>Whether frames that were written are kept in <see cref="Written"/>; off for measurements of allocation.</summary>
    public bool Record { get; set; } = true;

    /// <summary>Whether writes run until <see cref="EndWrite"/>; else they are done at once.</summary>
    public bool HoldsWrites { get; set; }

    /// <summary>Whether operations that are cancelled run until <see cref="LetGo"/>.</summary>
    public bool HoldsOn { get; set; }

    /// <summary>What the next writes return at once, 0 for nothing.</summary>
    public int WriteError { get; set; }

    /// <summary>What the next reads return at once, 0 for nothing.</summary>
    public int ReadError { get; set; }

    public int RunningReads => _reads.Count;

    public int RunningWrites => _writes.Count;

    /// <summary>Called, once, just before the next start of an operation resets its event.</summary>
    public Action? BeforeReset { get; set; }

    public bool WasCancelled { get; private set; }

    public bool IsClosed { get; private set; }

    public static byte[] Chain(params byte[][] frames)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < frames.Length; i++) bytes.AddRange(Link(frames[i], i == frames.Length - 1 ? 0 : (uint)((frames[i].Length + 8 + 7) & ~7), (uint)frames[i].Length));
        return [.. bytes];
    }

    /// <summary>A link that says what it is told to say.</summary>
    public static byte[] Link(byte[] frame, uint next, uint length)
    {
        var bytes = new byte[Math.Max(8 + frame.Length, next is > 0 and < 4096 ? (int)next : 0)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), next);
        frame.CopyTo(bytes, 8);
        return bytes;
    }

    public void Connect(Guid switchId, Guid port)
    {
        windows.Refuse(nameof(Connect));
        if (!windows.Properties.ContainsKey(switchId)) throw new VmSwitchException(nameof(Connect), WindowsError.NotFound);
        if (!windows.Ports.TryGetValue(port, out var taken)) throw new VmSwitchException(nameof(Connect), WindowsError.NotFound);
        if (taken) throw new VmSwitchException(nameof(Connect), WindowsError.AlreadyExists);
        windows.Ports[port] = true;
        _port = port;
        windows.Note("connected");
    }

    public int Read(byte* buffer, int length, IoOperation* operation)
    {
        if (length != FrameReads.BufferSize) throw new InvalidOperationException($"A read of {length} bytes.");
        if (ReadError != 0) return ReadError;
        Begin(operation);
        _reads.Add(((nint)buffer, (nint)operation));
        return WindowsError.IoPending;
    }

    public int Write(byte* buffer, int length, IoOperation* operation)
    {
        if (WriteError != 0) return WriteError;
        Begin(operation);
        _writes.Add(((nint)buffer, length, (nint)operation));
        if (HoldsWrites) return WindowsError.IoPending;
        EndWrite(0);
        return 0;
    }

    public void Cancel()
    {
        WasCancelled = true;
        if (!HoldsOn) LetGo();
    }

    /// <summary>Ends everything that was cancelled.</summary>
    public void LetGo()
    {
        while (_reads.Count > 0) EndRead([], WindowsError.StatusCancelled);
        while (_writes.Count > 0) EndWrite(0, WindowsError.StatusCancelled);
    }

    /// <summary>Ends a read that runs.</summary>
    /// <param name="bytes">What it brings.</param>
    /// <param name="status">How it ends.</param>
    /// <param name="index">Which one, the oldest being 0.</param>
    /// <param name="claimed">How many bytes it is said to bring; as many as it does when null.</param>
    public void EndRead(ReadOnlySpan<byte> bytes, uint status = 0, int index = 0, ulong? claimed = null)
    {
        var (buffer, operation) = _reads[index];
        _reads.RemoveAt(index);
        bytes.CopyTo(new Span<byte>((void*)buffer, FrameReads.BufferSize));
        End(operation, status, claimed ?? (ulong)bytes.Length);
    }

    /// <summary>Ends a write that runs.</summary>
    public void EndWrite(int index, uint status = 0)
    {
        var (buffer, length, operation) = _writes[index];
        _writes.RemoveAt(index);
        if (Record && status == 0) Written.Add(new ReadOnlySpan<byte>((void*)buffer, length).ToArray());
        End(operation, status, (ulong)length);
    }

    public void Dispose()
    {
        if (IsClosed) return;
        IsClosed = true;
        if (_port is { } port && windows.Ports.ContainsKey(port)) windows.Ports[port] = false;
        windows.Note("NIC closed");
    }

    private void Begin(IoOperation* operation)
    {
        if (IsClosed) throw new InvalidOperationException("The NIC is closed.");
        var before = BeforeReset;
        BeforeReset = null;
        before?.Invoke();
        operation->Status = WindowsError.StatusPending;
        EventOf(operation->Event).Reset();
    }

    private void End(nint at, uint status, ulong count)
    {
        var operation = (IoOperation*)at;
        // Once the status is written the memory may be gone.
        var handle = EventOf(operation->Event);
        operation->Count = (nuint)count;
        Volatile.Write(ref operation->Status, status);
        try { handle.Set(); }
        // Everything was seen to be done before.
        catch (ObjectDisposedException) { }
        catch (IOException) { }
    }

    private EventWaitHandle EventOf(nint handle)
    {
        if (_events.TryGetValue(handle, out var known)) return known;
        return _events[handle] = new EventWaitHandle(false, EventResetMode.AutoReset) { SafeWaitHandle = new SafeWaitHandle(handle, ownsHandle: false) };
    }
}
