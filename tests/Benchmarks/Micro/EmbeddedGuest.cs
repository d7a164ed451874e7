using System.Runtime.InteropServices;
using NicHost.Contracts.Devices;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Probe.Stack;

namespace NicHost.Benchmarks.Micro;

/// <summary>
/// The probe's stack put directly on an endpoint's queue: the contract's two sides and nothing between them, all on the caller's thread.
/// </summary>
internal sealed unsafe class EmbeddedGuest : ILink, IDeviceQueue, IDisposable
{
    private const int BufferSize = 66048;
    private const int BufferCount = 64;

    private readonly byte* _memory = (byte*)NativeMemory.AllocZeroed(BufferSize * (BufferCount + 1));
    private readonly TxFrame[] _frames = new TxFrame[1];
    private readonly Segment[] _segments = new Segment[2];
    private readonly (int Length, FrameOffload Offload)[] _arrived = new (int, FrameOffload)[BufferCount];
    private int _reserved;
    private int _committed;
    private int _read;

    public EmbeddedGuest(MacAddress mac)
    {
        Mac = mac;
        Stack = new ProbeStack(this);
    }

    public MacAddress Mac { get; }

    public int Mtu => 1500;

    public OffloadSet TxOffloads => OffloadSet.Checksum | OffloadSet.TsoV4 | OffloadSet.TsoV6;

    public ProbeStack Stack { get; }

    public IEndpointQueue Endpoint { get; set; } = null!;

    public long Refused { get; private set; }

    public bool TryBegin(uint flow, int length, out Span<byte> room)
    {
        // SAFETY: the last buffer is for sending; it has BufferSize bytes.
        room = new Span<byte>(_memory + (BufferCount * BufferSize), BufferSize);
        return true;
    }

    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload)
    {
        _segments[0] = new Segment(_memory + (BufferCount * BufferSize), length);
        _segments[1] = new Segment(tail, tailLength);
        var count = tailLength > 0 ? 2 : 1;
        _frames[0] = new TxFrame { SegmentCount = count, Length = length + tailLength, Offload = offload };
        if (Endpoint.Transmit(new TxBatch(_frames, _segments.AsSpan(0, count))) == 0) Refused++;
    }

    /// <summary>Hands the endpoint's frames to the stack.</summary>
    public int Poll()
    {
        var count = _committed - _read;
        for (; _read < _committed; _read++)
        {
            var (length, offload) = _arrived[_read % BufferCount];
            var segment = new IoVec(Buffer(_read), length);
            Stack.Receive(new RxFrame(new ReadOnlySpan<IoVec>(ref segment), length, offload));
        }
        Stack.Poll();
        return count;
    }

    public int Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        ticket = new RxTicket(_reserved, 1);
        if (_reserved - _read >= BufferCount) return 0;
        segments[0] = new Segment(Buffer(_reserved++), Math.Min(BufferSize, length));
        return 1;
    }

    public void Commit(RxTicket ticket, int length, in FrameOffload offload) => _arrived[_committed++ % BufferCount] = (length, offload);

    public void Release(RxTicket ticket) => _reserved--;

    public void Flush()
    {
    }

    public void TransmitReady()
    {
    }

    public void Dispose() => NativeMemory.Free(_memory);

    private byte* Buffer(int index) => _memory + (index % BufferCount * BufferSize);
}
