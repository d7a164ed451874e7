using System.Net.Sockets;
using NicHost.Contracts.Frames;

namespace NicHost.Consomme.Tests.Tcp;

/// <summary>Streams stay whole, both ways at once, over a link that loses, repeats and exchanges frames.</summary>
public sealed class LossyLinkTests(Xunit.Abstractions.ITestOutputHelper output)
{
    public static TheoryData<int, double, bool, bool, bool> Cases()
    {
        var cases = new TheoryData<int, double, bool, bool, bool>();
        for (var seed = 1; seed <= 32; seed++)
            cases.Add(seed, seed % 4 == 0 ? 0 : 0.02 * (seed % 5), (seed & 1) != 0, (seed & 2) != 0, (seed & 4) != 0);
        cases.Add(Environment.TickCount & 0xfffff, 0.05, true, true, true);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Streams_arrive_whole_over_a_bad_link(int seed, double loss, bool sack, bool timestamps, bool tso)
    {
        output.WriteLine($"seed {seed}, loss {loss}, sack {sack}, timestamps {timestamps}, super-frames {tso}, without peek offset {seed % 5 == 0}");
        var random = new Random(seed);
        using var guest = new TcpGuest(accepted: tso ? OffloadSet.Checksum | OffloadSet.TsoV4 : OffloadSet.None);
        guest.Protocol.AvoidPeekOffset = seed % 5 == 0;
        var up = new byte[random.Next(1, 300_000)];
        var down = new byte[random.Next(1, 300_000)];
        random.NextBytes(up);
        random.NextBytes(down);
        // Every third stream wraps its sequence numbers.
        var isn = seed % 3 == 0 ? uint.MaxValue - (uint)random.Next(100_000) : (uint)random.NextInt64(uint.MaxValue);
        var stack = new ModelStack(random, 40000, guest.ServerPort, isn, up, sack, timestamps, random.Next(100, 1461));
        Run(guest, stack, random, loss, up, down);
    }

    private static void Run(TcpGuest guest, ModelStack stack, Random random, double loss, byte[] up, byte[] down)
    {
        Socket? server = null;
        var sent = 0;
        var got = new List<byte>();
        var buffer = new byte[64 << 10];
        var serverDone = false;
        var log = new Queue<string>();
        void Log(string way, Segment s)
        {
            log.Enqueue($"{way} {s.Flags} seq {s.Seq - stack.Isn} ack {s.Ack} length {s.Payload.Length} window {s.Window}");
            if (log.Count > 60) log.Dequeue();
        }
        var toNat = new List<Segment>();
        var toGuest = new List<Segment>();
        long now = 0;
        var deadline = Environment.TickCount64 + 15_000;
        for (var turn = 0; !(stack.IsDone && serverDone && got.Count == up.Length); turn++)
        {
            Assert.True(Environment.TickCount64 < deadline,
                $"Stuck after {turn} turns: up {got.Count}/{up.Length}, down {stack.Received.Count}/{down.Length} (the server sent {sent}, saw the end {serverDone}), {guest.Guest.Drops()}, backlog {toNat.Count} {toGuest.Count}\n{Text(guest)}\n{string.Join('\n', log)}");
            Assert.False(stack.IsReset, "The NAT reset the connection.");
            if (toNat.Count < 200) toNat.AddRange(Disturb(stack.Poll(now), random, loss));
            var batch = toNat.Take(random.Next(1, 32)).ToList();
            toNat.RemoveRange(0, batch.Count);
            foreach (var s in batch) Log(">", s);
            guest.Guest.Device.Withheld = random.Next(10) == 0 ? int.MaxValue / 2 : 0;
            guest.Guest.Send(batch.Select(s => s.ToFrame()));
            if (guest.Guest.Device.Withheld != 0)
            {
                guest.Guest.Device.Withheld = 0;
                guest.Guest.Queue.ReceiveReady();
            }
            toGuest.AddRange(Disturb(guest.ReceiveAll(), random, loss));
            var taken = random.Next(1, 64);
            foreach (var segment in toGuest.Take(taken))
            {
                Log("<", segment);
                stack.Take(segment, now);
            }
            toGuest.RemoveRange(0, Math.Min(taken, toGuest.Count));
            if (server is null && guest.Listener.Poll(0, SelectMode.SelectRead))
            {
                server = guest.Listener.Accept();
                server.Blocking = false;
            }
            if (server is not null) Serve(server, random, down, ref sent, got, buffer, ref serverDone);
            now += 7;
            guest.Pass(TimeSpan.FromMilliseconds(7));
        }
        Assert.Equal(up, got);
        Assert.Equal(down, stack.Received);
        server!.Dispose();
    }

    private static void Serve(Socket server, Random random, byte[] down, ref int sent, List<byte> got, byte[] buffer, ref bool done)
    {
        if (sent < down.Length)
        {
            var size = Math.Min(down.Length - sent, random.Next(1, 40_000));
            var taken = server.Send(down, sent, size, SocketFlags.None, out var error);
            if (error == SocketError.Success) sent += taken;
            if (sent == down.Length) server.Shutdown(SocketShutdown.Send);
        }
        while (random.Next(4) != 0)
        {
            var count = server.Receive(buffer, 0, random.Next(1, buffer.Length), SocketFlags.None, out var error);
            if (error != SocketError.Success) return;
            if (count == 0) { done = true; return; }
            got.AddRange(buffer.AsSpan(0, count));
        }
    }

    /// <summary>Loses, repeats and exchanges.</summary>
    private static List<Segment> Disturb(IEnumerable<Segment> segments, Random random, double loss)
    {
        var result = new List<Segment>();
        foreach (var segment in segments)
        {
            if (random.NextDouble() < loss) continue;
            result.Add(segment);
            if (random.NextDouble() < loss / 2) result.Add(segment);
            if (result.Count > 1 && random.NextDouble() < loss) (result[^1], result[^2]) = (result[^2], result[^1]);
        }
        return result;
    }

    private static string Text(TcpGuest guest)
    {
        var text = new System.Text.StringBuilder();
        void Walk(NicHost.Contracts.Diagnostics.InspectNode node, int depth)
        {
            text.Append(' ', depth * 2).Append(node.Name).Append(": ").Append(node.Value).AppendLine();
            foreach (var child in node.Children) Walk(child, depth + 1);
        }
        Walk(guest.Guest.Inspect().Children.Single(c => c.Name == "tcp"), 0);
        return text.ToString();
    }
}
