using NicHost.NetVsp.Tests.Rig;
using NicHost.Probe.Netvsc;
using NicHost.Testing;

namespace NicHost.NetVsp.Tests.Net;

/// <summary>A second processor of the guest writes noise over rings and buffers while they are read.</summary>
public sealed class ChangingMemoryTests
{
    [Fact]
    public async Task Everything_that_changes_while_it_is_read_harms_this_guest_at_most()
    {
        await using var bench = new Bench();
        var nic = await bench.AddAsync(queues: 2);
        await using var others = new Bench();
        await others.AddAsync();
        using var bystander = Guest.Start(others);
        var seed = Environment.TickCount;
        for (var round = 0; round < 6; round++)
        {
            using var guest = Guest.Start(bench, Guest.Plain(bench) with { Channels = 2 });
            using var noise = new Noise(guest.Driver, seed + round);
            for (var until = Environment.TickCount64 + 250; Environment.TickCount64 < until;)
            {
                // The guest's own driver would trip over its own garbage: only its signals are of use.
                foreach (var queue in guest.Driver.Queues) queue.Channel.Signal();
                bystander.AssertEcho(200);
            }
        }
        Assert.True(nic.GuestFaults.All(f => !f.Contains("Exception", StringComparison.Ordinal)), $"seed {seed}: {string.Join('\n', nic.GuestFaults)}");
        using var next = Guest.Start(bench);
        next.AssertEcho();
    }

    /// <summary>Packets that are mostly right, changed as fast as one can.</summary>
    private sealed class Noise : IDisposable
    {
        private readonly Thread _thread;
        private volatile bool _stop;

        public Noise(NetvscDriver driver, int seed)
        {
            _thread = new Thread(() => Run(driver, new Random(seed))) { IsBackground = true };
            _thread.Start();
        }

        public void Dispose()
        {
            _stop = true;
            _thread.Join();
        }

        private void Run(NetvscDriver driver, Random random)
        {
            var frame = TestFrames.TcpSuperFrame(v4: true, 1000, 500).Frame;
            var message = new byte[128 + frame.Length];
            while (!_stop)
            {
                var ring = driver.Queues[random.Next(driver.Queues.Count)].Channel.Out;
                VmbusClient.Words(1, (uint)message.Length, 120, (uint)frame.Length, 0, 0, 0, 36, 16, 0, 0, 16, (uint)random.Next(10), 12, (uint)random.Next()).CopyTo(message, 0);
                frame.CopyTo(message, 128);
                var section = random.Next(driver.Send!.Length / driver.SendSectionSize);
                Put(driver, section, message);
                if (ring.WriteIndex < ring.Size && ring.ReadIndex < ring.Size)
                    ring.TryWrite(6, (ulong)section, true, [], VmbusClient.Words(107, 0, (uint)section, (uint)message.Length, 0, 0, 0, 0, 0, 0), out _);
                for (var i = 0; i < 32; i++) Spoil(driver, ring, random);
            }
        }

        private static unsafe void Put(NetvscDriver driver, int section, byte[] message) =>
            message.CopyTo(new Span<byte>(driver.Send!.At(section * driver.SendSectionSize), message.Length));

        private static unsafe void Spoil(NetvscDriver driver, GuestRing ring, Random random)
        {
            switch (random.Next(64))
            {
                case 0: ring.WriteIndex = (uint)random.Next(ring.Size / 8) * 8; break;
                case 1: driver.Primary.Channel.In.ReadIndex = (uint)random.Next(ring.Size / 8) * 8; break;
                case 2: ring.PendingSendSize = (uint)random.Next(ring.Size); break;
                case 3: ring.InterruptMask ^= 1; break;
                case < 24: ring.Data[random.Next(ring.Size)] = (byte)random.Next(256); break;
                // SAFETY: both buffers lie in one piece of so many bytes.
                case < 44: *driver.Send!.At(random.Next(driver.Send.Length)) = (byte)random.Next(256); break;
                default: *driver.Receive!.At(random.Next(driver.Receive.Length)) = (byte)random.Next(256); break;
            }
        }
    }
}
