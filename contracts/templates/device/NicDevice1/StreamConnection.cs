using NicHost.Contracts.Devices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Linux;

namespace NicDevice1;

/// <summary>One attached VMM: the device's side of the NIC's only queue.</summary>
internal sealed class StreamConnection : IDeviceQueue, IFdHandler, IDisposable
{
    // Work of one turn, before other NICs of the loop have theirs.
    private const int ReadsPerTurn = 4;

    private readonly Fd _socket;
    private readonly IEventLoop _loop;
    private readonly QueueCounters _counters;
    private readonly Action<string?> _ended;
    private readonly IncomingFrames _incoming;
    private readonly OutgoingFrames _outgoing;
    private readonly IEndpointQueue _endpoint;
    private readonly IFdWatch _watch;
    private bool _stalled;
    private bool _starved;
    private bool _finished;

    public StreamConnection(Fd socket, INicBackend backend, int mtu, Action<string?> ended)
    {
        (_socket, _ended) = (socket, ended);
        _loop = backend.Loop(0);
        _counters = backend.Counters(0);
        _incoming = new IncomingFrames(_counters, mtu + FrameLimits.EthernetHeader);
        _outgoing = new OutgoingFrames(mtu + FrameLimits.EthernetHeader);
        // The transport carries whole wire frames: nothing that would be left for the guest to finish.
        _endpoint = backend.OpenQueue(0, this, OffloadSet.None);
        _watch = _loop.Watch(socket.Raw, FdEvents.Readable, this);
    }

    public void Inspect(InspectWriter writer)
    {
        writer.Value("unsentFrames", _outgoing.Committed);
        writer.Value("waitsForEndpoint", _stalled);
    }

    public void Dispose()
    {
        _finished = true;
        _watch.Dispose();
        _endpoint.Close();
        _socket.Dispose();
    }

    void IFdHandler.OnEvents(FdEvents events)
    {
        if ((events & FdEvents.Writable) != 0) Drain();
        if ((events & ~FdEvents.Writable) != 0) Read();
    }

    int IDeviceQueue.Reserve(int length, Span<Segment> segments, out RxTicket ticket)
    {
        if (_outgoing.TryReserve(length, segments, out ticket)) return 1;
        _starved = true;
        _counters.RxStalls++;
        return 0;
    }

    void IDeviceQueue.Commit(RxTicket ticket, int length, in FrameOffload offload)
    {
        _outgoing.Commit(ticket, length);
        _counters.RxFrames++;
        _counters.RxBytes += length;
    }

    void IDeviceQueue.Release(RxTicket ticket) => _outgoing.Release();

    void IDeviceQueue.Flush()
    {
        Write();
        // An endpoint that found no room is told from the loop, not from within its own call.
        if (_outgoing.Committed > 0 || _starved) Want(FdEvents.Writable, true);
    }

    // Perhaps from within Transmit: it goes on from the loop.
    void IDeviceQueue.TransmitReady()
    {
        if (_stalled) _loop.Post(Resume);
    }

    private void Read()
    {
        for (var i = 0; i < ReadsPerTurn && !_finished && !_stalled; i++)
        {
            var read = Io.Read(_socket.Raw, _incoming.Room);
            if (read.WouldBlock) return;
            if (read.Failed || read.Count == 0)
            {
                Finish(null);
                return;
            }
            _counters.Kicks++;
            _incoming.Filled(read.Count);
            Hand();
        }
    }

    private void Resume()
    {
        if (!_stalled || _finished) return;
        _stalled = false;
        Want(FdEvents.Readable, true);
        Hand();
    }

    private void Hand()
    {
        switch (_incoming.HandTo(_endpoint))
        {
            case IncomingFrames.Outcome.Broken:
                Finish("A frame's length is out of range.");
                break;
            case IncomingFrames.Outcome.Stalled:
                // What is not read stays with the VMM, whose own queue then fills: that is the back-pressure.
                _stalled = true;
                _counters.TxStalls++;
                Want(FdEvents.Readable, false);
                break;
        }
    }

    private void Drain()
    {
        Write();
        if (_outgoing.Committed == 0) Want(FdEvents.Writable, false);
        if (!_starved || _outgoing.IsFull || _finished) return;
        _starved = false;
        _endpoint.ReceiveReady();
    }

    private void Write()
    {
        if (_finished || _outgoing.Committed == 0) return;
        _counters.Calls++;
        var written = _outgoing.WriteTo(_socket.Raw);
        if (written.Failed && !written.WouldBlock) Finish(null);
    }

    private void Want(FdEvents events, bool wanted)
    {
        if (!_finished) _watch.Events = wanted ? _watch.Events | events : _watch.Events & ~events;
    }

    // Perhaps from within the endpoint's call, where its queue must not be closed.
    private void Finish(string? fault)
    {
        if (_finished) return;
        _finished = true;
        _watch.Dispose();
        _loop.Post(() => _ended(fault));
    }
}
