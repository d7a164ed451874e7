using NicHost.Linux;
using NicHost.Virtio.Net;
using NicHost.Virtio.Tests.Rig;
using NicHost.Virtio.VhostUser;

namespace NicHost.Virtio.Tests.VhostUser;

/// <summary>Front-ends that say anything in any order, and guests that change memory while it is read: nothing throws, leaks or hangs.</summary>
public sealed class NoiseTests
{
    private static readonly Request[] Requests = Enum.GetValues<Request>();

    [Fact]
    public void Any_order_of_any_messages_is_survived_without_a_leak()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var nic = Nic.Started(queues: 2, extra: ",\"inBandNotifications\":true");
        nic.Turn();
        // Its end that nobody reads: our messages on it pile up.
        var (ours, theirs) = UnixSocket.Pair();
        using var first = ours;
        using var second = theirs;
        var before = Descriptors.Open();
        var closed = 0;
        for (var round = 0; round < 300; round++)
        {
            using var guest = new Guest(nic, Guest.Modern, pairs: 2);
            if (random.Next(3) > 0) guest.Negotiate();
            if (random.Next(3) > 0) guest.StartAll();
            for (var step = 0; step < 40; step++)
            {
                var request = Requests[random.Next(Requests.Length)];
                Say(guest, request, theirs.Raw, random);
                if (random.Next(4) == 0) guest.Kicks[random.Next(4)].Signal();
                foreach (var queue in nic.Backend.Queues)
                {
                    if (queue is { Closed: false }) queue.Deliver(new byte[60], reserve: random.Next(60, 3000));
                }
                while (guest.Front.TryRead() is not null) { }
            }
            closed += guest.Front.IsClosed ? 1 : 0;
        }
        Assert.True(before == Descriptors.Open(), $"descriptors leak, seed {seed}");
        Assert.InRange(closed, 1, 299);
        using var last = new Guest(nic);
        last.Negotiate();
        last.StartAll();
        last.Send(new byte[60]);
        Assert.Single(nic.Queue.Frames);
    }

    [Fact]
    public void Guest_that_scribbles_over_its_rings_while_they_are_read_harms_nobody()
    {
        using var nic = Nic.Started();
        var seed = Environment.TickCount;
        for (var round = 0; round < 10; round++)
        {
            using var guest = Guest.Running(nic, Guest.Modern | NetFeatures.IndirectDesc | (round % 2 == 0 ? NetFeatures.EventIdx : 0), ringSize: 64);
            guest.Post(20, 2048);
            var at = guest.Allocate(4096);
            for (var i = 0; i < 20; i++) guest.Tx.Add((at, 60, false));
            using var stop = new CancellationTokenSource();
            var scribbler = new Thread(() => Scribble(guest, seed + round, stop.Token));
            scribbler.Start();
            for (var turn = 0; turn < 2000; turn++)
            {
                guest.Kicks[turn % 2].Signal();
                nic.Loop.RunOnce();
                if (nic.Queue is { Closed: false } queue) queue.Deliver(new byte[200], reserve: 5000);
                // Broken by now: the driver starts over.
                if (nic.Queue.Closed && turn % 100 == 0)
                {
                    guest.StartRing(0);
                    guest.StartRing(1);
                }
            }
            stop.Cancel();
            scribbler.Join();
            Assert.False(guest.Front.IsClosed, $"seed {seed}, round {round}");
        }
        using var last = Guest.Running(nic);
        last.Send(new byte[60]);
        Assert.Single(nic.Queue.Frames);
    }

    private static void Scribble(Guest guest, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        var start = guest.Rx.Descriptors;
        var length = (int)(guest.Tx.End - start);
        while (!stop.IsCancellationRequested)
        {
            var place = random.Next(length);
            guest.Memory.Span(start, length)[place] = (byte)random.Next(256);
            if (random.Next(4) == 0) guest.Tx.AvailIndex++;
            if (random.Next(4) == 0) guest.Rx.AvailIndex++;
        }
    }

    private static void Say(Guest guest, Request request, int channel, Random random)
    {
        var shape = MessageShape.Of(request) ?? new MessageShape(0, 40, 0, 2);
        var payload = new byte[random.Next(10) == 0 ? random.Next(shape.MinSize, shape.MaxSize + 1) : shape.MinSize];
        for (var i = 0; i + 8 <= payload.Length; i += 8) BitConverter.TryWriteBytes(payload.AsSpan(i), Word(random));
        var fds = new List<int>();
        switch (request)
        {
            case Request.SetMemTable when random.Next(3) > 0:
                payload = guest.Table();
                fds.Add(guest.Memory.File.Raw);
                break;
            case Request.SetVringAddr when random.Next(3) > 0: payload = guest.Addresses(random.Next(4)); break;
            case Request.SetVringNum or Request.SetVringBase or Request.SetVringEnable or Request.GetVringBase or Request.VringKick:
                payload = FrontEnd.State((uint)random.Next(6), (uint)(1 << random.Next(6)) >> random.Next(2));
                break;
            case Request.SetVringKick or Request.SetVringCall or Request.SetVringErr:
                var none = random.Next(4) == 0;
                payload = FrontEnd.Words((uint)random.Next(6) + (none ? 256ul : 0));
                if (!none) fds.Add(random.Next(2) == 0 ? guest.Kicks[random.Next(4)].Raw : guest.Calls[random.Next(4)].Raw);
                break;
            case Request.SetFeatures when random.Next(3) > 0: payload = FrontEnd.Words((ulong)guest.Nic.Device.Offered & Word(random)); break;
            case Request.SetProtocolFeatures: payload = FrontEnd.Words(((ulong)guest.Nic.Device.OfferedProtocol & Word(random)) | 8); break;
            default: break;
        }
        while (fds.Count < shape.MinFds) fds.Add(random.Next(2) == 0 ? guest.Memory.File.Raw : channel);
        if (random.Next(200) == 0) fds.Add(guest.Kicks[0].Raw);
        guest.Front.Send(request, payload, random.Next(20) == 0 ? 0 : FrontEnd.NeedReply, [.. fds]);
    }

    private static ulong Word(Random random) => random.Next(5) switch
    {
        0 => 0,
        1 => (ulong)random.Next(16),
        2 => GuestFile.GuestBase + (ulong)random.Next(1 << 23),
        3 => ulong.MaxValue - (ulong)random.Next(5000),
        _ => (ulong)random.NextInt64(),
    };
}
