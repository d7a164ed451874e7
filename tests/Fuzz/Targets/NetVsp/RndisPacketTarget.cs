using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Fuzz.Engine;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rings;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>Packets with frames in them, as they come out of the ring: sections, ranges of pages, RNDIS messages and what they leave to us.</summary>
internal sealed unsafe class RndisPacketTarget : FuzzTarget, IEndpointQueue
{
    private const int MaxFrame = 1518;

    private readonly BusMemory _memory = new();
    private readonly GuestMemory _map;
    private readonly BufferSet _buffers;
    private QueueCounters _counters = new();
    private int _room;
    private int _frames;

    public RndisPacketTarget()
    {
        _map = VmbusMessageTarget.MapOf(_memory);
        var pages = GpaPages.TryMake(_map, [.. Enumerable.Range(BusMemory.SendFirst, BusMemory.SendPages).Select(BusMemory.Frame)], out _);
        _buffers = BufferSet.None.WithSend(pages, 1);
    }

    public override string Name => "rndis";

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        [1, 0, 0, 0], [36, 0, 0, 0], [44, 0, 0, 0], [16, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0], [16, 0, 0, 0, 2, 0, 0, 0, 12, 0, 0, 0], [16, 0, 0, 0, 6, 0, 0, 0, 12, 0, 0, 0],
        [107, 0, 0, 0, 0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [8, 0, 0x45], [0x86, 0xdd, 0x60], BitConverter.GetBytes(BusMemory.Frame(BusMemory.FramesFirst)),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var script = new ScriptReader(input);
        var how = script.Byte();
        var offloads = (how & 1) != 0 ? OffloadSet.Checksum | OffloadSet.AllGso : OffloadSet.None;
        _room = (how & 2) != 0 ? 1 : int.MaxValue;
        _counters = new QueueCounters();
        _frames = 0;
        var tx = new TxPath(_counters, MaxFrame);
        tx.Configure(GuestSettings.Down with { IsUp = (how & 4) == 0, TxOffloads = offloads }, (how & 8) != 0 ? (OffloadSet)0xffff_ffff : offloads);
        var packets = 0;
        while (!script.IsAtEnd)
        {
            // What lies in memory, then the packet that names it.
            _memory.Write((BusMemory.SendFirst * BusMemory.PageSize) + (script.Byte() * 64u), script.Block(script.Byte()));
            _memory.Write((BusMemory.FramesFirst * BusMemory.PageSize) + (script.Byte() * 64u), script.Block(script.Byte()));
            var type = script.Byte();
            var header = script.Block(script.Byte() & ~7);
            header = header[..(header.Length & ~7)];
            byte[] packet = [.. new byte[PacketDescriptor.Size], .. header, .. script.Block(script.Byte())];
            var descriptor = new PacketDescriptor
            {
                Type = (type & 1) != 0 ? PacketType.GpaDirect : PacketType.InBand,
                DataOffset8 = (ushort)((PacketDescriptor.Size + header.Length) / 8), Length8 = (ushort)(packet.Length / 8), Flags = 1, TransactionId = (ulong)packets,
            };
            tx.Add(tx.Gather(packet, descriptor, _buffers, _map), descriptor);
            packets++;
            if ((type & 2) == 0) Finish(tx, ref packets, all: false);
        }
        Finish(tx, ref packets, all: true);
        Require(packets == 0, $"{packets} packets are not done with.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        foreach (var (name, information, frame) in new (string, uint[], byte[])[]
                 {
                     ("plain", [], GuestFrames.Arp()), ("checksum", [16, 0, 12, 5 | (34 << 16)], GuestFrames.Tcp4(0x18, new byte[100])),
                     ("large-send", [16, 2, 12, 50 | (34 << 20) | (1 << 30)], GuestFrames.Tcp4(0x18, new byte[120])), ("tag", [16, 6, 12, 0x1235], GuestFrames.Udp4(7, "hello"u8)),
                     ("checksum6", [16, 0, 12, 10 | (54 << 16)], GuestFrames.Udp6(7, "hello"u8)),
                 })
        {
            byte[] message = [.. VmbusClient.Words(1, (uint)(44 + (4 * information.Length) + frame.Length), (uint)(36 + (4 * information.Length)), (uint)frame.Length, 0, 0, 0,
                information.Length > 0 ? 36u : 0, (uint)(4 * information.Length), 0, 0), .. VmbusClient.Words(information), .. frame];
            byte[] inSection = VmbusClient.Words(107, 0, 0, (uint)message.Length);
            yield return (name, new ScriptWriter().Byte(9).Byte(0).Byte(message.Length).Block(message).Byte(0).Byte(0).Byte(0).Byte(0).Byte(16).Block(inSection).ToArray());
            byte[] ranges = [.. VmbusClient.Words(0, 1, (uint)message.Length, 0), .. BitConverter.GetBytes(BusMemory.Frame(BusMemory.FramesFirst))];
            yield return (name + "-pages", new ScriptWriter().Byte(1).Byte(0).Byte(0).Byte(0).Byte(message.Length).Block(message).Byte(1).Byte(ranges.Length).Block(ranges).Byte(16)
                .Block(VmbusClient.Words(107, 0, 0xffff_ffff, 0)).ToArray());
        }
    }

    public int Transmit(in TxBatch batch)
    {
        var taken = Math.Min(_room, batch.Frames.Length);
        foreach (ref readonly var frame in batch.Frames[..taken]) Check(frame, batch.Segments.Slice(frame.FirstSegment, frame.SegmentCount));
        _frames += taken;
        return taken;
    }

    public void ReceiveReady() { }

    public void Close() { }

    public override void Dispose()
    {
        _memory.Dispose();
        base.Dispose();
    }

    private void Finish(TxPath tx, ref int packets, bool all)
    {
        do
        {
            tx.Hand(this);
            while (tx.TryComplete(out _, out var status, out _))
            {
                Require(status is NvspStatus.Success or NvspStatus.Failure, $"Status {status}.");
                packets--;
            }
            tx.CompletionsTold();
        }
        while (all && tx.Waiting > 0);
        Require(_counters.TxFrames == _frames, "Frames are counted wrong.");
    }

    private static void Check(in TxFrame frame, ReadOnlySpan<Segment> segments)
    {
        long length = 0;
        foreach (var segment in segments) length += (long)segment.Length;
        Require(length == frame.Length && segments.Length <= FrameLimits.MaxTxSegments, $"A frame of {frame.Length} bytes in segments of {length}.");
        Require(frame.Length >= FrameLimits.EthernetHeader && frame.Length <= FrameLimits.MaxFrame, $"A frame of {frame.Length} bytes.");
        ref readonly var offload = ref frame.Offload;
        Require(offload.Checksum != ChecksumState.Partial || offload.ChecksumStart + offload.ChecksumOffset + 2 <= frame.Length, "A checksum outside of its frame.");
        if (offload.Gso == GsoKind.None)
        {
            Require(frame.Length <= MaxFrame + 4, $"A frame of {frame.Length} bytes on the wire.");
            return;
        }
        Require(offload.SegmentSize > 0 && offload.HeaderLength <= frame.Length && offload.HeaderLength > offload.ChecksumStart && offload.Checksum == ChecksumState.Partial, "A super-frame that cannot be divided.");
        Span<byte> head = stackalloc byte[offload.HeaderLength];
        Require(SegmentOps.CopyTo(segments, 0, head) == head.Length, "Headers beyond the frame.");
        var network = head[12..].IndexOf<byte>([0x81, 0]) == 0 ? 18 : 14;
        if (offload.Gso == GsoKind.TcpV4) Require(BinaryPrimitives.ReadUInt16BigEndian(head[(network + 2)..]) == frame.Length - network, "A super-frame whose header says another length.");
    }
}
