using NicHost.Virtio.Tests.Conformance;

namespace NicHost.Hostile.Tests.Rig;

/// <summary>A second CPU of the guest: writes noise over rings and buffers as fast as it can while the device reads them.</summary>
internal sealed unsafe class Flipper : IDisposable
{
    private readonly Thread _thread;
    private volatile bool _stop;

    public Flipper(ProbeDriver driver, int seed)
    {
        _thread = new Thread(() => Run(driver, new Random(seed))) { IsBackground = true };
        _thread.Start();
    }

    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private void Run(ProbeDriver driver, Random random)
    {
        while (!_stop)
        {
            var ring = random.Next(2) == 0 ? driver.Tx[0].Ring : driver.Rx[0].Ring;
            for (var i = 0; i < 64; i++)
            {
                // SAFETY: indices stay within the ring's tables.
                ref var entry = ref ring.Descriptors[random.Next(ring.Size)];
                switch (random.Next(6))
                {
                    case 0: entry.Length = (uint)random.Next(70_000); break;
                    case 1: entry.Flags ^= (ushort)(1 << random.Next(3)); break;
                    case 2: entry.NextIndex = (ushort)random.Next(ring.Size); break;
                    case 3: entry.Address ^= 1ul << random.Next(20); break;
                    case 4: ring.AvailEntry(random.Next(ring.Size)) = (ushort)random.Next(ring.Size); break;
                    default: driver.Ram.Base[random.Next(1 << 20)] = (byte)random.Next(256); break;
                }
            }
        }
    }
}
