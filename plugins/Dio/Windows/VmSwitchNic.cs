using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Nics;
using NicHost.Dio.Options;
using NicHost.Dio.Shape;

namespace NicHost.Dio.Windows;

/// <summary>
/// A direct I/O NIC of vmswitch and its place in a virtual switch. All of it on the NIC's first loop, queue included. Port and NIC are handles of this
/// process: the kernel takes them back when it ends, however that happens.
/// </summary>
internal sealed partial class VmSwitchNic : IKernelNic
{
    /// <summary>What a port for direct I/O carries: Ethernet's 1500 bytes.</summary>
    public const int MaxMtu = 1500;

    private readonly EndpointContext _context;
    private readonly NicOpener _opener;
    private readonly LoopWake _wake;
    private readonly ILoopTimer _retry;
    private volatile NicLink _link = NicLink.Down("not started");
    private volatile OpenedNic? _opened;
    private OpenedNic? _toUndo;
    private volatile bool _ended;
    private FrameIo? _io;
    private VmSwitchQueue? _queue;
    private MadeThings? _made;
    private Action? _linkChanged;
    private long _discarded;

    public VmSwitchNic(EndpointContext context, DioSettings settings, IVmSwitch windows)
    {
        _context = context;
        _opener = new NicOpener(context, settings, windows);
        _wake = new LoopWake(context.Loop, Done);
        _retry = context.Loop.CreateTimer(Reopen);
    }

    public EndpointCapabilities Capabilities { get; } = new()
    {
        // A port carries whole frames: the rest is done in software before it.
        TxAccepts = OffloadSet.Checksum | OffloadSet.AllGso | OffloadSet.Vlan | OffloadSet.Ipv4HeaderChecksum,
        RxGives = OffloadSet.Vlan,
        MaxQueues = 1,
        Threading = QueueThreading.SharedLoop,
        MaxMtu = MaxMtu,
    };

    public NicLink Link => _link;

    /// <summary>Nothing: what a killed run had made went with it.</summary>
    public IReadOnlyList<string> UndoLeftovers() => [];

    public MadeThings Record() => _made = new MadeThings(new MadeBy(_context.Nic.ToString(), ""), null, Undo);

    public void Start(MadeThings made, Action linkChanged)
    {
        if (_context.Mtu > MaxMtu) throw new IOException($"An MTU of {_context.Mtu} does not fit: a port for direct I/O carries {MaxMtu}. Lower the NIC's \"mtu\" to {MaxMtu}.");
        (_made, _linkChanged) = (made, linkChanged);
        Adopt(_opener.Open());
    }

    public IEndpointQueue OpenQueue(EndpointQueueConfig config)
    {
        if (_queue is not null) throw new InvalidOperationException("A NIC of vmswitch has one queue, and it is open.");
        var queue = _queue = new VmSwitchQueue(this, config);
        // What came while nobody was there to have it is old.
        if (_io is { } io && Discard(io)) queue.Attach(io);
        else if (_io is null && _opened is { } opened) StartIo(opened);
        return queue;
    }

    /// <summary>Asks for another turn. Any thread.</summary>
    public void Wake() => _wake.Wake();

    public void QueueClosed(VmSwitchQueue queue)
    {
        if (_queue == queue) _queue = null;
        // To discard what comes from now on.
        Wake();
    }

    public void Inspect(InspectWriter writer)
    {
        var opened = _opened;
        writer.Value("switch", opened?.Switch.Name);
        writer.Value("port", opened?.Port.ToString());
        writer.Value("nic", opened?.Name);
        writer.Value("nicIsThere", opened is not null);
        writer.Value("framesDiscarded", Interlocked.Read(ref _discarded));
        if (_io is not { } io) return;
        writer.Value("framesRead", io.Reads.Frames);
        writer.Value("chainsRead", io.Reads.Chains);
        writer.Value("framesWritten", io.Writes.Frames);
        writer.Value("writesFailed", io.Writes.Failures);
        if (io.Writes.LastFailure is { } failure) writer.Value("lastWriteFailure", failure);
    }

    private void Adopt(OpenedNic opened)
    {
        _opened = _toUndo = opened;
        _adopted = _context.Loop.NowMilliseconds;
        if (opened.MadePort) _made!.Add(new MadeThing(MadeKind.VmSwitchPort, $"{opened.Port}", opened.Switch.Name, ""));
        _made!.Add(new MadeThing(MadeKind.VmSwitchNic, opened.Name, opened.Switch.Name, ""));
        _link = new NicLink(LinkState.Up10G, null);
        if (_queue is not null) StartIo(opened);
    }

    private void StartIo(OpenedNic opened)
    {
        _io = FrameIo.Start(opened.Nic, _wake);
        _queue?.Attach(_io);
    }

    /// <summary>Something is done, or there is more to do.</summary>
    private void Done()
    {
        if (_ended || _io is not { } io) return;
        if (_queue is { } queue) queue.Done(io);
        else Discard(io);
    }

    /// <summary>Passes by what was read.</summary>
    /// <returns>False when the NIC is gone.</returns>
    private bool Discard(FrameIo io)
    {
        io.Writes.Collect();
        for (var left = 256; left > 0; left--)
        {
            var found = io.Reads.Peek(out _);
            if (found == FrameReads.Found.Nothing) return true;
            if (found == FrameReads.Found.Failure)
            {
                Lost(io);
                return false;
            }
            io.Reads.Advance();
            Interlocked.Increment(ref _discarded);
        }
        Wake();
        return true;
    }
}
