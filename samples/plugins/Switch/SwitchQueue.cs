using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using Samples.Switch.Fabric;

namespace Samples.Switch;

/// <summary>From one guest into the network. On the queue's loop; nothing here allocates per frame.</summary>
internal sealed unsafe class SwitchQueue : IEndpointQueue
{
    // Both addresses, and a tag with what it tags.
    private const int HeadSize = 18;
    private const ushort Tag = 0x8100, ServiceTag = 0x88a8;
    private const ushort VlanId = 0x0fff;

    // Frames to these are for the switch itself (IEEE 802.1Q, table 8-1): 01-80-C2-00-00-00 to -0F. It speaks none of their protocols.
    private const ulong ReservedGroup = 0x0180_c200_0000, ReservedMask = 0xffff_ffff_fff0;

    private readonly EndpointQueueConfig _config;
    private readonly Lan _lan;
    private readonly Port _port;
    private readonly Lane _lane;
    private readonly byte[] _head = GC.AllocateArray<byte>(HeadSize, pinned: true);
    private readonly Segment[] _frame = new Segment[FrameLimits.MaxTxSegments + 1];
    private bool _isClosed;

    public SwitchQueue(EndpointQueueConfig config, Lan lan, Port port)
    {
        (_config, _lan, _port) = (config, lan, port);
        _lane = Lane.Enter();
        port.Open(config, _lane);
    }

    /// <summary>Frames sent to one port.</summary>
    public long Unicast { get; private set; }

    /// <summary>Frames sent to every port: to groups, and to addresses of which nothing is known.</summary>
    public long Flooded { get; private set; }

    public int Transmit(in TxBatch batch)
    {
        if (_isClosed) return batch.Frames.Length;
        var taken = 0;
        foreach (ref readonly var frame in batch.Frames)
        {
            if (!TryForward(batch.SegmentsOf(frame), frame.Length, frame.Offload)) break;
            taken++;
        }
        _lane.Announce();
        return taken;
    }

    public void ReceiveReady()
    {
        if (!_isClosed) _port.ReceiveReady();
    }

    public void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        _port.Close();
        _lan.Forget(_port);
        _lane.Exit();
    }

    private bool TryForward(ReadOnlySpan<Segment> segments, int length, in FrameOffload offload)
    {
        // The guest may change its memory at any time: what is checked is this copy, and it is what the other guest gets.
        var head = _head.AsSpan(0, SegmentOps.CopyTo(segments, 0, _head));
        var (to, from) = (new MacAddress(head), new MacAddress(head[MacAddress.Size..]));
        var now = _port.Loop.NowMilliseconds;
        if (from.IsGroup || from.IsZero || !_lan.Admit(from, _port, now)) return Drop(DropReason.Spoofed);
        if (_lan.Vlan is not null && HasTag(head, offload)) return Drop(DropReason.Forbidden);
        if ((to.Value & ReservedMask) == ReservedGroup) return Drop(DropReason.NotForUs);

        // SAFETY: the array is pinned, and the frame has at least as many bytes as were copied.
        _frame[0] = new Segment((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_head)), head.Length);
        var rest = SegmentOps.Slice(segments, head.Length, length - head.Length, _frame.AsSpan(1));
        if (rest < 0) return Drop(DropReason.Malformed);
        var frame = _frame.AsSpan(0, 1 + rest);
        return !to.IsGroup && _lan.Find(to) is { } station && station.IsKnown(now) ? TryUnicast(station.Port, frame, length, offload) : Flood(frame, length, offload);
    }

    private bool TryUnicast(Port target, ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        // Both are behind the guest's own NIC.
        if (target == _port) return Drop(DropReason.NotForUs);
        if (!MayReach(target)) return Drop(DropReason.Forbidden);
        if (!target.IsOpen) return Drop(DropReason.LinkDown);
        if (!target.TryGive(_lane, _port, frame, length, offload, mayWait: true)) return false;
        Unicast++;
        return true;
    }

    // Never waits: the ports that had the frame already would have it again.
    private bool Flood(ReadOnlySpan<Segment> frame, int length, in FrameOffload offload)
    {
        foreach (var target in _lan.Ports)
        {
            if (target != _port && target.IsOpen && MayReach(target)) target.TryGive(_lane, _port, frame, length, offload, mayWait: false);
        }
        Flooded++;
        return true;
    }

    private bool MayReach(Port target) => !(_port.IsIsolated && target.IsIsolated);

    // A tag of VLAN 0 has a priority only, and is let through as it is.
    private static bool HasTag(ReadOnlySpan<byte> head, in FrameOffload offload)
    {
        if (offload.Flags.Has(FrameFlags.Vlan) && (offload.VlanTci & VlanId) != 0) return true;
        return BinaryPrimitives.ReadUInt16BigEndian(head[(2 * MacAddress.Size)..]) switch
        {
            Tag => head.Length < HeadSize || (BinaryPrimitives.ReadUInt16BigEndian(head[14..]) & VlanId) != 0,
            ServiceTag => true,
            _ => false,
        };
    }

    private bool Drop(DropReason reason)
    {
        _config.Counters.DropTx(reason);
        return true;
    }
}
