using NicHost.Contracts.Memory;
using NicHost.Fuzz.Engine;
using NicHost.NetVsp.Vmbus;

namespace NicHost.Fuzz.Targets.NetVsp;

/// <summary>VMBus messages one after the other, each with its length before it: every field is read, buffers are put together from theirs.</summary>
internal sealed unsafe class VmbusMessageTarget : FuzzTarget
{
    private readonly BusMemory _memory = new();
    private readonly GuestMemory _map;

    public VmbusMessageTarget() => _map = MapOf(_memory);

    public override string Name => "vmbusmessage";

    public override IReadOnlyList<byte[]> Dictionary =>
        [.. Enumerable.Range(1, 25).Select(k => new byte[] { (byte)k, 0, 0, 0, 0, 0, 0, 0 }), BitConverter.GetBytes(BusMemory.Frame(0)), [0, 16, 0, 0], [0, 0, 0, 4], [1, 0]];

    /// <summary>The guest's memory as a device has it.</summary>
    public static GuestMemory MapOf(BusMemory memory) => new(
    [
        .. BusMemory.Regions.Select((r, i) => new GuestRegion(r.Address, r.Length, (nint)memory.Page(i == 0 ? 0 : (int)(BusMemory.Regions[0].Length / BusMemory.PageSize)))),
    ]);

    public override void Run(ReadOnlySpan<byte> input)
    {
        var table = new GpadlTable();
        var script = new ScriptReader(input);
        while (!script.IsAtEnd)
        {
            var bytes = script.Block(script.Byte());
            if (!MessageView.TryParse(bytes, out var message)) continue;
            Read(message);
            Buffers(table, message);
            Require(table.Count <= GpadlTable.MaxCount && table.Pages <= GpadlTable.MaxPages, "More buffers than there may be.");
            Require(table.Pages == table.All.Sum(g => g.PageCount), "Pages are counted wrong.");
        }
        table.Clear();
        Require(table.Count == 0 && table.Pages == 0, "Something is left.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("one", Script((uint)MessageType.GpadlHeader, 0, 1, 7, 0x1_0010, 4096, 0, (uint)BusMemory.Frame(3), 0));
        yield return ("pieces", [.. Script((uint)MessageType.GpadlHeader, 0, 1, 7, 0x1_0018, 12288, 0, (uint)BusMemory.Frame(3), 0),
            .. Script((uint)MessageType.GpadlBody, 0, 0, 7, (uint)BusMemory.Frame(4), 0, (uint)BusMemory.Frame(200), 0), .. Script((uint)MessageType.GpadlTeardown, 0, 1, 7)]);
        yield return ("contact", Script((uint)MessageType.InitiateContact, 0, 0x50003, 0, 2, 0, 0, 0, 0, 0));
        yield return ("open", Script([(uint)MessageType.Open, 0, 1, 1, 7, 0, 4, .. new uint[30]]));
    }

    public override void Dispose()
    {
        _memory.Dispose();
        base.Dispose();
    }

    private static byte[] Script(params uint[] words) => [(byte)(4 * words.Length), .. words.SelectMany(BitConverter.GetBytes)];

    private static void Read(in MessageView message)
    {
        // What the session reads of each type without looking at the length again.
        var (words, quads) = message.Type switch
        {
            MessageType.Open => (20, 0),
            MessageType.Close or MessageType.RelIdReleased => (4, 0),
            MessageType.GpadlHeader => (20, 0),
            MessageType.GpadlBody or MessageType.GpadlTeardown or MessageType.Modify => (8, 0),
            MessageType.InitiateContact => (8, 32),
            MessageType.ConnectSocket => (32, 0),
            _ => (0, 0),
        };
        for (var at = 0; at < words; at += 4) message.U32(at);
        for (var at = 8; at < quads; at += 8) message.U64(at);
        Require(message.From(0).Length == message.BodyLength, "A body of another length than it says.");
    }

    private void Buffers(GpadlTable table, in MessageView message)
    {
        Gpadl? gpadl = null;
        string? fault = null;
        if (message.Type == MessageType.GpadlHeader) fault = table.Begin(message, out gpadl);
        else if (message.Type == MessageType.GpadlBody) fault = table.Continue(message, out gpadl);
        else if (message.Type == MessageType.GpadlTeardown) table.Remove(message.U32(4));
        if (fault is not null || gpadl is not { IsComplete: true }) return;
        if (table.Complete(gpadl, _map) is not null) return;
        var pages = table.Find(gpadl.Handle);
        Require(pages is not null && pages.Count == gpadl.PageCount, "A complete buffer that cannot be found, or has other pages.");
        Span<Segment> segments = new Segment[pages!.Count];
        var count = pages.Cover(0, pages.Length, segments);
        Require(count == pages.Runs && segments[..count].ToArray().Sum(s => (long)s.Length) == pages.Length, "Its runs are not the whole.");
    }
}
