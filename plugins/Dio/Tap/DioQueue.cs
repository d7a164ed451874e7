using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Offload;
using NicHost.Linux;

namespace NicHost.Dio.Tap;

/// <summary>
/// One open queue of the guest and the TAP's queue behind it, while there is one. What the kernel cannot do for a frame is done in software
/// before. All of it on the queue's loop.
/// </summary>
internal sealed class DioQueue : IEndpointQueue, IFdHandler
{
    private readonly TapNic _nic;
    private readonly TapTransmit _transmit;
    private readonly TapReceive _receive;
    private readonly SoftwareTransmitter _helper;
    private TapDevice? _tap;
    private Fd? _fd;
    private IFdWatch? _watch;
    private bool _closed;

    public DioQueue(TapNic nic, EndpointQueueConfig config, OffloadSet kernelAccepts)
    {
        (_nic, Config) = (nic, config);
        _transmit = new TapTransmit(config.Counters);
        _receive = new TapReceive(config);
        _helper = new SoftwareTransmitter(_transmit, kernelAccepts, config.Counters);
    }

    public EndpointQueueConfig Config { get; }

    /// <summary>Frames that were copied on their way to the guest, for want of buffers when they were read.</summary>
    public long Copied => _receive.Copied;

    /// <summary>A TAP is there.</summary>
    public void Attach(TapDevice tap)
    {
        if (_closed || _tap is not null) return;
        tap.SetOffloads(Config.AcceptedRx);
        _fd = tap.OpenQueue(Config.Index, out var hasFrames);
        _tap = tap;
        _transmit.Fd = _fd.Raw;
        _receive.Fd = hasFrames ? _fd.Raw : -1;
        _watch = Config.Loop.Watch(_fd.Raw, hasFrames ? FdEvents.Readable : FdEvents.None, this);
    }

    /// <summary>The TAP is gone.</summary>
    public void Detach()
    {
        if (_tap is not { } tap) return;
        _tap = null;
        _watch?.Dispose();
        _fd?.Dispose();
        (_watch, _fd) = (null, null);
        _transmit.Fd = _receive.Fd = -1;
        _helper.Forget();
        tap.QueueClosed(Config.Index);
        // What waits in the guest's ring is offered again, to be dropped with a count.
        if (!_closed && _transmit.IsStalled) Config.Device.TransmitReady();
        _transmit.IsStalled = false;
    }

    public int Transmit(in TxBatch batch)
    {
        if (_closed) return 0;
        var taken = _helper.Transmit(batch);
        if (_transmit.IsStalled && _watch is { } watch) watch.Events |= FdEvents.Writable;
        if (_transmit.IsGone) Lost();
        return taken;
    }

    public void ReceiveReady()
    {
        if (_closed || _receive.Fd < 0 || _watch is not { } watch) return;
        watch.Events |= FdEvents.Readable;
        Receive();
    }

    public void OnEvents(FdEvents events)
    {
        if ((events & FdEvents.Writable) != 0 && _watch is { } watch)
        {
            watch.Events &= ~FdEvents.Writable;
            _transmit.IsStalled = false;
            Config.Device.TransmitReady();
        }
        if (_tap is null) return;
        if (_receive.Fd >= 0) Receive();
        else if ((events & FdEvents.Error) != 0) Lost();
    }

    public void Close()
    {
        if (_closed) return;
        _closed = true;
        Detach();
        _nic.QueueClosed(this);
    }

    private void Receive()
    {
        switch (_receive.Run())
        {
            case TapReceive.Outcome.NoBuffers: _watch!.Events &= ~FdEvents.Readable; break;
            case TapReceive.Outcome.Gone: Lost(); break;
        }
    }

    private void Lost()
    {
        _transmit.IsGone = false;
        Detach();
        _nic.TapLost();
    }
}
