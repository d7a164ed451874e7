using System.Buffers.Binary;
using NicHost.Fuzz.Engine;
using NicHost.Linux;
using NicHost.Probe.Netvsc;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>The guest's driver of one card, for scripts: honest as long as nobody else writes into its memory, and then it checks the host.</summary>
internal sealed unsafe class ScriptedCard(BusGuest bus, EventFd[] kicks, EventFd[] calls, bool inBand, bool monitored, bool flagged)
{
    public const int MaxChannels = 2;

    private const ushort TransferPages = 7;
    private const ushort CompletionType = 11;

    private readonly GuestRing?[] _out = new GuestRing?[MaxChannels];
    private readonly GuestRing?[] _in = new GuestRing?[MaxChannels];
    private readonly Dictionary<ulong, int> _asked = [];
    private readonly byte[] _packet = new byte[16384];
    private ulong _transaction = 0x1_0000;

    /// <summary>Whether somebody wrote where only both drivers should, or a channel was closed: promises are off.</summary>
    public bool IsDisturbed { get; set; }

    /// <summary>Whether it gave sections back, or took the whole buffer back, before it had read them: the host has put something else there.</summary>
    public bool GivesBackUnread { get; set; }

    /// <summary>Packets whose completion has not come.</summary>
    public int Unanswered => _asked.Values.Sum();

    public GuestRing? Out(int channel) => _out[channel];

    public GuestRing? In(int channel) => _in[channel];

    /// <summary>Lays out a channel's rings and opens it, if it is offered.</summary>
    public void Open(int channel)
    {
        if (!bus.Channels.TryGetValue(channel, out var offer)) return;
        var first = channel * 2 * BusMemory.RingPages;
        bus.CreateGpadl(offer.RelId, BusGuest.RingHandle + (uint)channel, first, 2 * BusMemory.RingPages);
        bus.Turn();
        // SAFETY: so many pages lie there, before the gap.
        _out[channel] = new GuestRing(bus.Memory.Page(first), BusMemory.RingPages);
        _in[channel] = new GuestRing(bus.Memory.Page(first + BusMemory.RingPages), BusMemory.RingPages);
        if (!inBand)
        {
            bus.Send(WireKind.EventFd, offer.Connection, fd: kicks[channel].Raw);
            bus.Send(WireKind.GuestFd, offer.RelId, 0, flagged ? BusMemory.GuestBase + (BusMemory.FlagsPage * BusMemory.PageSize) : 0, fd: calls[channel].Raw);
        }
        bus.Post(MessageKind.Open, [offer.RelId, offer.RelId, BusGuest.RingHandle + (uint)channel, 0, BusMemory.RingPages, .. new uint[30]]);
        bus.Turn();
    }

    public void Close(int channel)
    {
        if (bus.Channels.TryGetValue(channel, out var offer)) bus.Post(MessageKind.Close, offer.RelId);
        bus.Turn();
    }

    /// <summary>Signals the host in the way that was agreed on.</summary>
    public void Kick(int channel)
    {
        if (!bus.Channels.TryGetValue(channel, out var offer)) return;
        if (monitored) ((uint*)bus.Memory.Page(BusMemory.MonitorPage))[2 + (offer.RelId / 32 % 4 * 2)] |= 1u << (int)(offer.RelId % 32);
        if (inBand) bus.Send(WireKind.SignalEvent, offer.Connection);
        else kicks[channel].Signal();
        bus.Turn();
    }

    /// <summary>Writes a packet and signals the host.</summary>
    public void Write(int channel, ushort type, bool wantsCompletion, ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, ulong? transaction = null)
    {
        if (_out[channel] is not { } ring || ring.WriteIndex >= ring.Size || ring.ReadIndex >= ring.Size) return;
        var number = transaction ?? _transaction++;
        if (!ring.TryWrite(type, number, wantsCompletion, header, payload, out _)) return;
        // RevokeReceiveBuffer.
        GivesBackUnread |= type is 6 or 9 && payload.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(payload) == 103;
        if (wantsCompletion && type is 6 or 9) _asked[number] = _asked.GetValueOrDefault(number) + 1;
        Kick(channel);
    }

    public void Nvsp(uint type, params ReadOnlySpan<uint> fields)
    {
        var message = new byte[40];
        BinaryPrimitives.WriteUInt32LittleEndian(message, type);
        for (var i = 0; i < Math.Min(fields.Length, 9); i++) BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(4 + (4 * i)), fields[i]);
        Write(0, 6, true, [], message);
    }

    /// <summary>Sends bytes as an RNDIS message of a channel (0: frames, 1: control) in a section of the send buffer.</summary>
    public void Rndis(int channel, uint kind, ReadOnlySpan<byte> message, int section = 0)
    {
        bus.Memory.Write((uint)((BusMemory.SendFirst * BusMemory.PageSize) + (section * 6144)), message);
        Write(channel, 6, true, [], VmbusClient.Words(107, kind, (uint)section, (uint)message.Length, 0, 0, 0, 0, 0, 0));
    }

    /// <summary>An RNDIS control message with its header.</summary>
    public void Control(uint type, ReadOnlySpan<byte> body, int sizeError = 0)
    {
        var message = new byte[8 + body.Length];
        VmbusClient.Words(type, (uint)(message.Length + sizeError)).CopyTo(message, 0);
        body.CopyTo(message.AsSpan(8));
        Rndis(0, 1, message);
    }

    /// <summary>As far into a driver's start as wanted.</summary>
    public void Start(int steps, uint version)
    {
        Open(0);
        Action[] stages =
        [
            () => Nvsp(1, version, version),
            () => Nvsp(125, 1514, 0, 0x88),
            () => Nvsp(100, 6, version >= 0x50000 ? 30u : 1u),
            () => Share(BusGuest.ReceiveHandle, BusMemory.ReceiveFirst, BusMemory.ReceivePages, 101),
            () => Share(BusGuest.SendHandle, BusMemory.SendFirst, BusMemory.SendPages, 104),
            () => Control(2, VmbusClient.Words(1, 1, 0, 0x4000)),
            () => Control(5, [.. VmbusClient.Words(2, 0xFC01_020C, 28, 20, 0), .. OffloadParameters]),
            () => Control(5, VmbusClient.Words(3, 0x0001_010E, 4, 20, 0, 0x20)),
            () => { Nvsp(133, 1, 1); Open(1); },
        ];
        foreach (var stage in stages.Take(steps))
        {
            stage();
            Drain();
        }
    }

    /// <summary>Everything on: checksums both ways, large send, RSC.</summary>
    private static byte[] OffloadParameters => [0x80, 3, 28, 0, 4, 4, 4, 4, 4, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0];

    public void Share(uint handle, int first, int pages, uint type)
    {
        if (!bus.Channels.TryGetValue(0, out var offer)) return;
        bus.CreateGpadl(offer.RelId, handle, first, pages);
        bus.Turn();
        Nvsp(type, handle, 0xcafe);
    }

    /// <summary>Reads what the host has sent, checks it, and gives sections back.</summary>
    /// <returns>Packets.</returns>
    public int Drain()
    {
        var count = 0;
        for (var channel = 0; channel < MaxChannels; channel++)
        {
            if (_in[channel] is not { } ring) continue;
            for (var left = 256; left > 0; left--)
            {
                if (ring.WriteIndex >= ring.Size || ring.ReadIndex >= ring.Size) break;
                var length = ring.TryRead(_packet, out var signal);
                Require(length >= 0, "The host has written a ring that makes no sense.");
                if (length <= 0) break;
                count++;
                Take(channel, _packet.AsSpan(0, length));
                if (signal) Kick(channel);
            }
        }
        return count;
    }

    private void Take(int channel, ReadOnlySpan<byte> packet)
    {
        var transaction = BinaryPrimitives.ReadUInt64LittleEndian(packet[8..]);
        var offset = BinaryPrimitives.ReadUInt16LittleEndian(packet[2..]) * 8;
        switch (BinaryPrimitives.ReadUInt16LittleEndian(packet))
        {
            case CompletionType:
                if (_asked.TryGetValue(transaction, out var asked)) _asked[transaction] = Math.Max(0, asked - 1);
                break;
            case TransferPages:
                Require(offset <= packet.Length, "A payload behind its packet.");
                if (!IsDisturbed && !GivesBackUnread) CheckRanges(packet[16..offset], BinaryPrimitives.ReadUInt32LittleEndian(packet[(offset + 4)..]) == 0);
                Write(channel, CompletionType, false, [], VmbusClient.Words(108, 1), transaction);
                break;
        }
    }

    private void CheckRanges(ReadOnlySpan<byte> list, bool areFrames)
    {
        var count = BinaryPrimitives.ReadUInt32LittleEndian(list[4..]);
        Require(list.Length == 8 + (8 * count), $"{count} ranges in {list.Length} bytes.");
        for (var i = 0; i < count; i++)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(list[(8 + (8 * i))..]);
            var at = BinaryPrimitives.ReadUInt32LittleEndian(list[(12 + (8 * i))..]);
            Require(length >= 8 && at + (ulong)length <= BusMemory.ReceivePages * BusMemory.PageSize, $"A range of {length} bytes at {at}.");
            var message = new ReadOnlySpan<byte>(bus.Memory.Page(BusMemory.ReceiveFirst) + at, (int)length);
            var said = BinaryPrimitives.ReadUInt32LittleEndian(message[4..]);
            Require(said <= length, $"A message of {said} bytes in a range of {length}.");
            if (!areFrames) continue;
            var (dataAt, data) = (BinaryPrimitives.ReadUInt32LittleEndian(message[8..]), BinaryPrimitives.ReadUInt32LittleEndian(message[12..]));
            Require(message[0] == 1 && dataAt >= 36 && data > 0 && 8 + dataAt + data <= said, $"A frame of {data} bytes at {dataAt} in {said}.");
        }
    }

    private void Require(bool condition, string what)
    {
        if (!condition && !IsDisturbed) throw new InvariantException(what);
    }
}
