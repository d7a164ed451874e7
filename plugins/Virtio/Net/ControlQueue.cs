using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Loops;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Virtio.Virtqueue;

namespace NicHost.Virtio.Net;

/// <summary>
/// The control queue (virtio 1.2, 5.1.6.5): every command is answered at once, since a driver may wait for it spinning. QEMU serves its
/// guests' control queues itself; UML leaves them to us.
/// </summary>
internal sealed class ControlQueue
{
    private const int MaxPieces = 64;
    private const int CommandsPerTurn = 64;
    private const int MaxCommand = 2 + (2 * (4 + (512 * MacAddress.Size)));

    private const byte Ok = 0;
    private const byte Error = 1;

    private readonly RingSlot _slot;
    private readonly IEventLoop _loop;
    private readonly Action<string, bool> _onFault;
    private readonly Segment[] _pieces = GC.AllocateUninitializedArray<Segment>(MaxPieces, pinned: true);
    private readonly byte[] _command = new byte[MaxCommand];

    /// <param name="loop">The NIC's first loop.</param>
    /// <param name="counters">Where kicks and calls are counted.</param>
    /// <param name="state">What the commands change.</param>
    /// <param name="onFault">Told why the ring was stopped.</param>
    public ControlQueue(IEventLoop loop, QueueCounters counters, ControlState state, Action<string, bool> onFault)
    {
        _loop = loop;
        _onFault = onFault;
        State = state;
        _slot = new RingSlot(loop, counters, Run);
    }

    /// <summary>What the commands change.</summary>
    public ControlState State { get; }

    /// <summary>Makes the ring run as planned.</summary>
    /// <returns>Where it goes on, and why it could not start.</returns>
    public PairResult Apply(RingPlan? ring, RingCall call, GuestRam ram, NetFeatures accepted)
    {
        string? fault = null;
        if (_slot.Changes(ring, ram, accepted))
        {
            _slot.Stop();
            if (ring is not null) fault = _slot.Start(ring, ram, accepted);
        }
        _slot.SetCall(call);
        if (_slot.Enabled) Run();
        return new PairResult(_slot.Ring?.NextAvailable ?? _slot.Next, 0, fault is not null && ring!.Enabled ? $"control ring: {fault}" : null);
    }

    /// <summary>A kick that came as a message.</summary>
    public void Kick() => _slot.Kick();

    public void Inspect(InspectWriter writer) => _slot.Inspect(writer);

    private void Run()
    {
        if (!_slot.Enabled) return;
        var ring = _slot.Ring!;
        for (var left = CommandsPerTurn; left > 0; left--)
        {
            if (!ring.TryPop(out var head))
            {
                if (ring.Fault is null && ring.EnableKicks()) continue;
                break;
            }
            Serve(ring, head);
        }
        if (ring.Fault is { } fault)
        {
            _slot.Deafen();
            _onFault($"control ring: {fault}", false);
        }
        else if (ring.EnableKicks()) _loop.Post(Run);
    }

    private void Serve(Virtqueue.Virtqueue ring, ushort head)
    {
        var count = ring.Walk(head, _pieces, out var readable);
        if (count == Virtqueue.Virtqueue.Broken) return;
        if (count == Virtqueue.Virtqueue.TooLong || readable == count)
        {
            ring.Fail($"the command at descriptor {head} has no place for its answer");
            return;
        }
        var length = SegmentOps.CopyTo(_pieces.AsSpan(0, readable), 0, _command);
        var answer = State.Execute(_command.AsSpan(0, length)) ? Ok : Error;
        SegmentOps.CopyFrom(_pieces.AsSpan(readable, count - readable), 0, [answer]);
        ring.Complete(head, 1);
        ring.Publish();
        if (ring.ShouldNotify()) _slot.Notify();
    }
}

/// <summary>What a guest sets through its control queue.</summary>
internal sealed class ControlState
{
    private readonly int _maxPairs;
    private readonly MacAddress _ownMac;

    private const byte ClassRx = 0;
    private const byte ClassMac = 1;
    private const byte ClassMq = 4;
    private const byte MacTableSet = 0;
    private const byte MacAddrSet = 1;
    private const byte RxPromiscuous = 0;
    private const byte RxAllMulticast = 1;
    private const byte MqPairsSet = 0;

    /// <param name="maxPairs">Queue pairs that there are.</param>
    /// <param name="mac">The address in the configuration space.</param>
    public ControlState(int maxPairs, MacAddress mac)
    {
        _maxPairs = maxPairs;
        _ownMac = mac;
        Reset();
    }

    /// <summary>Queue pairs that the guest uses.</summary>
    public int Pairs { get; private set; }

    /// <summary>The address that the guest uses.</summary>
    public MacAddress Mac { get; private set; }

    /// <summary>Whether it wants all frames. Endpoints are free to send it any: this is for people to see.</summary>
    public bool Promiscuous { get; private set; }

    /// <summary>Whether it wants all multicast frames.</summary>
    public bool AllMulticast { get; private set; }

    /// <summary>Back to what a fresh device has.</summary>
    public void Reset()
    {
        Pairs = 1;
        Mac = _ownMac;
        Promiscuous = true;
        AllMulticast = false;
    }

    /// <summary>Carries out one command: class, command, data.</summary>
    /// <returns>False when it is malformed, out of range, or not offered.</returns>
    public bool Execute(ReadOnlySpan<byte> command)
    {
        if (command.Length < 2) return false;
        var data = command[2..];
        return (command[0], command[1]) switch
        {
            (ClassRx, RxPromiscuous) => SetFlag(data, on => Promiscuous = on),
            (ClassRx, RxAllMulticast) => SetFlag(data, on => AllMulticast = on),
            (ClassMac, MacTableSet) => IsMacTable(data),
            (ClassMac, MacAddrSet) => SetMac(data),
            (ClassMq, MqPairsSet) => SetPairs(data),
            _ => false,
        };
    }

    private static bool SetFlag(ReadOnlySpan<byte> data, Action<bool> set)
    {
        if (data.Length != 1) return false;
        set(data[0] != 0);
        return true;
    }

    private bool SetMac(ReadOnlySpan<byte> data)
    {
        if (data.Length != MacAddress.Size) return false;
        Mac = new MacAddress(data);
        return true;
    }

    private bool SetPairs(ReadOnlySpan<byte> data)
    {
        if (data.Length != 2) return false;
        var pairs = BinaryPrimitives.ReadUInt16LittleEndian(data);
        if (pairs == 0 || pairs > _maxPairs) return false;
        Pairs = pairs;
        return true;
    }

    // Two tables, unicast and multicast (5.1.6.5.2): read for their form only, since no endpoint filters by them.
    private static bool IsMacTable(ReadOnlySpan<byte> data)
    {
        for (var table = 0; table < 2; table++)
        {
            if (data.Length < 4) return false;
            var entries = BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (entries > (uint)(data.Length - 4) / MacAddress.Size) return false;
            data = data[(4 + ((int)entries * MacAddress.Size))..];
        }
        return data.IsEmpty;
    }
}
