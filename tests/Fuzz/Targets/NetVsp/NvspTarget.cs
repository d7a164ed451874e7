using System.Buffers.Binary;
using NicHost.Contracts.Diagnostics;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Memory;
using NicHost.Contracts.Nics;
using NicHost.Fuzz.Engine;
using NicHost.NetVsp.Memory;
using NicHost.NetVsp.Net;
using NicHost.NetVsp.Nvsp;
using NicHost.NetVsp.Rndis;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>NVSP messages and the RNDIS messages in them, in any order, without rings: each answer is well-formed, and what is agreed on is possible.</summary>
internal sealed class NvspTarget : FuzzTarget, INicHost
{
    private const int MaxRndis = 4096;

    private readonly BusMemory _memory = new();
    private readonly GpaPages _large;
    private readonly GpaPages _small;
    private readonly QueueCounters _counters = new();
    private NvspControl _control;
    private bool _completed;
    private int _settings;

    public NvspTarget()
    {
        var map = VmbusMessageTarget.MapOf(_memory);
        _large = Pages(map, BusMemory.ReceiveFirst, BusMemory.ReceivePages);
        _small = Pages(map, 0, 1);
        _control = new NvspControl(this);
    }

    public override string Name => "nvsp";

    public MacAddress Mac { get; } = new([0x52, 0x54, 0, 0x12, 0x34, 0x56]);

    public int Mtu { get; private set; }

    public LinkState Link { get; private set; }

    public int MaxQueues => 3;

    public EndpointCapabilities Endpoint { get; } = new() { TxAccepts = (OffloadSet)0xffff_ffff, RxGives = (OffloadSet)0xffff_ffff, MaxQueues = 3 };

    public uint MaxVersion => NvspVersions.V6_1;

    public override IReadOnlyList<byte[]> Dictionary =>
    [
        .. Enum.GetValues<NvspType>().Select(t => (byte[])[0, (byte)t]), .. Enum.GetValues<Oid>().Select(o => BitConverter.GetBytes((uint)o)),
        [1, 2, 16, 1, 0, 0, 0, 1, 0, 0, 0], [1, 4, 20], [1, 5, 40], BitConverter.GetBytes(NvspVersions.V6_1), BitConverter.GetBytes(NvspVersions.V1), [1, 0xff, 0, 0], [20, 0, 0, 0],
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        var script = new ScriptReader(input);
        var how = script.Byte();
        Mtu = (how & 1) != 0 ? FrameLimits.MaxFrame - 18 : (how & 2) != 0 ? 68 : 1500;
        Link = (how & 4) != 0 ? LinkState.Down : LinkState.Up10G;
        _control = new NvspControl(this);
        var message = new byte[NvspFormat.MessageSize];
        while (!script.IsAtEnd)
        {
            var (isRndis, type) = (script.Byte() & 1, script.Byte());
            message.AsSpan().Clear();
            if (isRndis != 0) TakeRndis(ref script, type, message);
            else TakeNvsp(ref script, type, message);
            CheckAgreement();
        }
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("start", Start().Byte(1).Byte(2).Byte(16).Words(1, 0x4000_0000_0000).ToArray());
        var oids = Start().Byte(1).Byte(2).Byte(16).Words(1, 0x4000_0000_0000);
        foreach (var oid in Enum.GetValues<Oid>()) oids.Byte(1).Byte(4).Byte(20).Double(3).Double((uint)oid).Double(0).Double(20).Double(0);
        yield return ("oids", oids.ToArray());
        yield return ("offloads", Start().Byte(1).Byte(2).Byte(16).Words(1, 0x4000_0000_0000).Byte(1).Byte(5).Byte(48).Double(2).Double(0xFC01_020C).Double(28).Double(20).Double(0)
            .Block([0x80, 3, 28, 0, 4, 4, 4, 4, 4, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0]).ToArray());
        yield return ("subchannels", Start().Byte(0).Byte((int)NvspType.Subchannel).Byte(8).Double(1).Double(2).ToArray());
        yield return ("revoke", Start().Byte(0).Byte((int)NvspType.RevokeReceiveBuffer).Byte(4).Double(0xcafe).Byte(0).Byte((int)NvspType.RevokeSendBuffer).Byte(4).Double(0).ToArray());
        yield return ("address", Start().Byte(1).Byte(2).Byte(16).Words(1, 0x4000_0000_0000).Byte(1).Byte(5).Byte(92).Double(2).Double(0x0001_021B).Double(72).Double(20).Double(0)
            .Double(20).Double(28).Double(2).Double(48).Double(24).Block("N\0e\0t\0w\0o\0r\0k\0A\0d\0d\0r\0e\0s\0s\00\02\00\02\00\02\00\02\00\02\00\02\0"u8).ToArray());
    }

    public override void Dispose()
    {
        _memory.Dispose();
        base.Dispose();
    }

    public QueueCounters Counters(int queue)
    {
        Require((uint)queue < (uint)MaxQueues, "A queue that there is not.");
        return _counters;
    }

    public GpaPages? FindBuffer(uint handle) => handle switch { 1 => _large, 2 => _small, _ => null };

    public void Apply(BufferSet buffers, Action applied) => applied();

    public void Apply(GuestSettings settings) => _settings++;

    public void Complete(ulong transaction, ReadOnlySpan<byte> message)
    {
        Require(message.Length == NvspFormat.MessageSize, $"A completion of {message.Length} bytes.");
        Require(!_completed, "Two completions for one message.");
        _completed = true;
    }

    public void SendRndis(byte[] message)
    {
        Require(message.Length is >= 12 and <= MaxRndis && Word(message, 4) == message.Length, $"An RNDIS message of {message.Length} bytes that says {Word(message, 4)}.");
        if ((RndisType)Word(message, 0) != RndisType.QueryComplete || Word(message, 12) != 0) return;
        var (length, offset) = (Word(message, 16), Word(message, 20));
        if (length == 0) return;
        Require(offset == 16 && 8 + offset + length <= message.Length, $"Information of {length} bytes at {offset} in {message.Length}.");
    }

    public void SendMessage(ReadOnlySpan<byte> message) => Require(message.Length >= NvspFormat.ShortMessageSize, "A short message.");

    public bool OfferSubchannels(int count)
    {
        Require(count > 0 && count < MaxQueues, $"{count} subchannels.");
        return true;
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static GpaPages Pages(GuestMemory map, int first, int count) =>
        GpaPages.TryMake(map, [.. Enumerable.Range(first, count).Select(BusMemory.Frame)], out _) ?? throw new InvalidOperationException("Not the guest's memory.");

    private static ScriptWriter Start() => new ScriptWriter().Byte(0).Byte(0).Byte((int)NvspType.Init).Byte(8).Double(NvspVersions.V6_1).Double(NvspVersions.V6_1)
        .Byte(0).Byte((int)NvspType.SendNdisConfig).Byte(16).Double(1514).Double(0).Double(0x88).Double(0)
        .Byte(0).Byte((int)NvspType.SendNdisVersion).Byte(8).Double(6).Double(30)
        .Byte(0).Byte((int)NvspType.SendReceiveBuffer).Byte(8).Double(1).Double(0xcafe).Byte(0).Byte((int)NvspType.SendSendBuffer).Byte(8).Double(1).Double(0);

    private void TakeNvsp(ref ScriptReader script, byte type, byte[] message)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(message, type == 0xff ? uint.MaxValue : type);
        script.Block(Math.Min((int)script.Byte(), message.Length - 4)).CopyTo(message.AsSpan(4));
        // RNDIS comes by itself, with what the queue has gathered.
        if ((NvspType)type != NvspType.SendRndisPacket) Handle(new ControlPacket((NvspType)Word(message, 0), message, [], wantsCompletion: true, 1));
    }

    private void TakeRndis(ref ScriptReader script, byte type, byte[] message)
    {
        var body = script.Block(script.Byte());
        var rndis = new byte[Math.Max(8, 8 + body.Length)];
        BinaryPrimitives.WriteUInt32LittleEndian(rndis, type);
        // The last byte of the body bends the length that it says.
        BinaryPrimitives.WriteInt32LittleEndian(rndis.AsSpan(4), rndis.Length + (body.Length > 200 ? (sbyte)body[^1] : 0));
        body.CopyTo(rndis.AsSpan(8));
        BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)NvspType.SendRndisPacket);
        Handle(new ControlPacket(NvspType.SendRndisPacket, message, rndis, wantsCompletion: true, 1));
    }

    private void Handle(in ControlPacket packet)
    {
        _completed = false;
        if (_control.Handle(packet) is null) Require(_completed, "A message that was taken and not completed.");
        // A channel that cannot go on is closed by its guest, and begins anew.
        else _control.Reset();
    }

    private void CheckAgreement()
    {
        var buffers = _control.Buffers;
        Require(buffers.Receive is null || (buffers.SectionSize >= RxPath.Headroom + FrameLimits.EthernetHeader + 4 + Mtu && buffers.SectionSize * (long)buffers.SectionCount <= buffers.Receive.Length),
            $"{buffers.SectionCount} sections of {buffers.SectionSize} bytes.");
        var settings = _control.Rndis.Settings;
        Require(settings.Rss is null || settings.Rss.Channels.All(c => c < MaxQueues), "A table with channels that there are not.");
        Require(settings.Multicast.Count <= 64, "More groups than there may be.");
        Require((settings.TxOffloads & OffloadSet.AllGso) == 0 || settings.TxOffloads.Has(OffloadSet.Checksum), "Large send without checksums.");
    }
}
