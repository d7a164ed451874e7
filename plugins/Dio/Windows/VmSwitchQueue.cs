using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Offload;

namespace NicHost.Dio.Windows;

/// <summary>The guest's open queue and the NIC behind it, while there is one. Super-frames, open checksums and tags out of line become whole frames before.</summary>
internal sealed class VmSwitchQueue : IEndpointQueue
{
    // Writes that nobody waits for are looked at so often, so that a failure is counted before long.
    private const int LookMilliseconds = 500;

    private readonly VmSwitchNic _nic;
    private readonly EndpointQueueConfig _config;
    private readonly FrameTransmit _transmit;
    private readonly FrameReceive _receive;
    private readonly SoftwareTransmitter _helper;
    private readonly ILoopTimer _look;
    private bool _lacksBuffers;
    private bool _closed;

    public VmSwitchQueue(VmSwitchNic nic, EndpointQueueConfig config)
    {
        (_nic, _config) = (nic, config);
        _transmit = new FrameTransmit(config.Counters);
        _receive = new FrameReceive(config);
        _helper = new SoftwareTransmitter(_transmit, OffloadSet.None, config.Counters);
        _look = config.Loop.CreateTimer(Look);
    }

    /// <summary>A NIC is there.</summary>
    public void Attach(FrameIo io) => _transmit.Io = io;

    /// <summary>The NIC is gone.</summary>
    public void Detach()
    {
        _look.Cancel();
        _helper.Forget();
        // What waits in the guest's ring is offered again, to be dropped with a count.
        if (_transmit.Detach() && !_closed) _config.Device.TransmitReady();
    }

    public int Transmit(in TxBatch batch)
    {
        if (_closed) return 0;
        _transmit.Collect();
        var taken = _helper.Transmit(batch);
        if (_transmit.Io?.Writes.AnyRuns == true && !_look.IsSet) _look.Set(LookMilliseconds);
        return taken;
    }

    public void ReceiveReady()
    {
        _lacksBuffers = false;
        if (!_closed && _transmit.Io is { } io) Receive(io);
    }

    /// <summary>Something is done.</summary>
    public void Done(FrameIo io)
    {
        if (_transmit.Collect()) _config.Device.TransmitReady();
        // The guest said nothing since it had no buffers: to ask again would keep the loop busy.
        if (!_lacksBuffers) Receive(io);
    }

    public void Close()
    {
        if (_closed) return;
        _closed = true;
        Detach();
        _look.Dispose();
        _nic.QueueClosed(this);
    }

    private void Receive(FrameIo io)
    {
        switch (_receive.Run(io.Reads))
        {
            case FrameReceive.Outcome.NoBuffers: _lacksBuffers = true; break;
            case FrameReceive.Outcome.More: _nic.Wake(); break;
            case FrameReceive.Outcome.Failure: _nic.Lost(io); break;
        }
    }

    private void Look()
    {
        if (_transmit.Collect()) _config.Device.TransmitReady();
        if (_transmit.Io?.Writes.AnyRuns == true) _look.Set(LookMilliseconds);
    }
}
