using NicHost.Contracts.Loops;
using NicHost.Linux;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Wire;

namespace NicHost.NetVsp.Vmbus;

/// <summary>
/// One client, from its connection to its end. It reads packets, keeps what they say and tells the devices; while a device is busy with that,
/// nothing more is read, so that whatever the guest sends in whatever order, each step finds the one before done. Everything runs under the
/// bus's lock. A client's mistake ends the session; a guest's mistake is refused and counted, and too many of them end it, too.
/// </summary>
internal sealed partial class BusSession : IFdHandler, IDisposable
{
    // Packets of one turn before others of the loop have theirs. The largest buffer of any driver takes 284.
    private const int PacketsPerTurn = 512;

    // A guest that errs so often is at war with us; its log lines are not wanted.
    private const int MaxMistakes = 64;

    private readonly Fd _socket;
    private readonly VmBus _bus;
    private readonly WireReader _reader;
    private readonly WireWriter _writer;
    private readonly MemoryTable _memory;
    private readonly GpadlTable _gpadls = new();
    private readonly SortedDictionary<uint, Channel> _channels = [];
    private GuestRam _ram = GuestRam.Empty;
    private IFdWatch? _watch;
    private MonitorMode _monitorMode;
    private MonitorPoller? _poller;
    private bool _greeted;
    private bool _ended;
    private int _mistakes;

    public BusSession(Fd socket, VmBus bus)
    {
        _socket = socket;
        _bus = bus;
        _reader = new WireReader(socket.Raw);
        _writer = new WireWriter(socket.Raw);
        _memory = new MemoryTable(bus.Settings.AllowUnsealedMemory);
    }

    /// <summary>The guest's memory. Any thread.</summary>
    public GuestRam Ram => Volatile.Read(ref _ram);

    /// <summary>Whether it is over but for the channels.</summary>
    public bool HasEnded => _ended;

    /// <summary>Whether the client has hung up, as far as the kernel knows at this moment.</summary>
    public bool IsHungUp =>
        _ended || (Io.Poll(_socket.Raw, PollEvents.ReadHangUp, 0) & (PollEvents.HangUp | PollEvents.ReadHangUp | PollEvents.Error)) != 0;

    /// <summary>Watches the socket on the bus's present loop, on its thread.</summary>
    public void Arm(IEventLoop loop)
    {
        if (_ended) return;
        if (IsBusy)
        {
            // Not even a hang-up is of use now, and it would be told again and again.
            Disarm();
            return;
        }
        var events = _writer.HasKept ? FdEvents.Writable : FdEvents.Readable;
        _watch ??= loop.Watch(_socket.Raw, events, this);
        _watch.Events = events;
        _poller?.Arm(loop);
    }

    /// <summary>Watches no more, on the thread of the loop that it was armed on.</summary>
    public void Disarm()
    {
        _watch?.Dispose();
        _watch = null;
        _poller?.Disarm();
    }

    public void OnEvents(FdEvents events)
    {
        lock (_bus.Gate)
        {
            if (_ended) return;
            if (_writer.HasKept && !_writer.Flush()) End(null);
            else ReadPackets();
            if (!_ended) Arm(_bus.Home);
        }
    }

    /// <summary>Ends the session; <see cref="VmBus.Ended"/> follows when no channel runs any more.</summary>
    /// <param name="fault">What the client did wrong; null when it just left or we stop.</param>
    public void End(string? fault)
    {
        if (_ended) return;
        _ended = true;
        _bus.DisarmOnHome(this);
        _reader.Dispose();
        if (fault is not null) _bus.ReportFault($"VMBus client refused: {fault}");
        StopAll(() =>
        {
            StopPolling();
            DropChannels();
            _memory.Clear();
            Volatile.Write(ref _ram, GuestRam.Empty);
            _socket.Dispose();
            _bus.Ended(this);
        });
    }

    public void Dispose() => End(null);

    /// <summary>Guest memory was lost in use. Any thread.</summary>
    public void MemoryLost()
    {
        lock (_bus.Gate) End("guest memory was taken away while it was in use");
    }

    /// <summary>Sets an event flag by message. Any thread; only for clients that gave no eventfd for it.</summary>
    public void SetEvent(uint relId)
    {
        lock (_bus.Gate) Send(WireKind.SetEvent, relId);
    }

    public GpaPages? FindBuffer(uint handle)
    {
        lock (_bus.Gate) return _ended ? null : _gpadls.Find(handle);
    }

    private void ReadPackets()
    {
        for (var left = PacketsPerTurn; left > 0 && !_ended && !IsBusy && !_writer.HasKept; left--)
        {
            switch (_reader.Read())
            {
                case WireReader.Status.Packet:
                    Dispatch(_reader.Header);
                    break;
                case WireReader.Status.Closed:
                    End(null);
                    return;
                case WireReader.Status.Malformed:
                    End(_reader.Fault);
                    return;
                default:
                    return;
            }
        }
    }

    private void Send(WireKind kind, ulong a = 0, ulong b = 0, ulong c = 0, ReadOnlySpan<byte> payload = default)
    {
        if (!_ended && !_writer.Send(kind, a, b, c, payload)) End(_writer.HasKept ? "it does not read its packets" : null);
        if (!_ended && _writer.HasKept) _bus.RearmSoon();
    }

    /// <summary>A mistake of the guest: refused, and told.</summary>
    private void Mistake(string what)
    {
        _bus.ReportFault($"VMBus: {what}");
        if (++_mistakes == MaxMistakes) End($"{MaxMistakes} mistakes of its guest");
    }
}
