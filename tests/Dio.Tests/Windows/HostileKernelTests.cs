using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Frames;
using NicHost.Dio.Tests.Rig;
using NicHost.Dio.Windows;
using NicHost.Testing;

namespace NicHost.Dio.Tests.Windows;

/// <summary>A kernel that ends operations as it likes and says of them what it likes, a guest that comes and goes, and what holds in any case.</summary>
public sealed class HostileKernelTests : IDisposable
{
    private static readonly OffloadSet[] Guests = [OffloadSet.None, OffloadSet.Vlan];
    private readonly int _seed = Environment.TickCount;
    private readonly Random _random;
    private readonly HandTime _time = new();
    private readonly FakeVmSwitch _windows = new();
    private readonly Bench _bench;
    private readonly TxBuilder _batch = new();
    private IEndpointQueue? _queue;
    private FakeDeviceQueue? _device;

    public HostileKernelTests()
    {
        _random = new Random(_seed);
        _bench = Bench.Started("""{"kind":"dio"}""", factory: _windows.Factory, time: _time);
    }

    [Fact]
    public void Nothing_that_a_kernel_or_a_guest_does_keeps_the_next_frames_from_passing()
    {
        for (var step = 0; step < 6000; step++)
        {
            Step();
            if (_random.Next(3) == 0) _bench.Loop.RunOnce();
            Assert.True(_device is not { OpenReservations: > 0 }, $"a reservation is open, seed {_seed}");
        }
        AssertFramesPass();
    }

    public void Dispose()
    {
        _bench.Dispose();
        _batch.Dispose();
    }

    private void Step()
    {
        var nic = _windows.Nic;
        switch (_random.Next(14))
        {
            case < 5 when nic.RunningReads > 0: EndRead(nic); break;
            case < 7 when nic.RunningWrites > 0: nic.EndWrite(_random.Next(nic.RunningWrites), _random.Next(5) == 0 ? 0xc000009d : 0); break;
            case < 10 when _queue is not null: Transmit(); break;
            case 10 when _queue is not null:
                _device!.Withheld = _random.Next(2) == 0 ? int.MaxValue : 0;
                _queue.ReceiveReady();
                break;
            case 11: OpenOrClose(); break;
            case 12: _time.Advance(_random.Next(1, 20_000)); break;
            case 13: Change(nic); break;
        }
    }

    private void EndRead(FakeVmNic nic)
    {
        var frames = new byte[_random.Next(1, 6)][];
        for (var i = 0; i < frames.Length; i++) frames[i] = TestFrames.Plain(_random.Next(14, 1519), i);
        var bytes = FakeVmNic.Chain(frames);
        if (_random.Next(2) == 0)
        {
            for (var i = _random.Next(1, 5); i > 0; i--) bytes[_random.Next(3) == 0 ? _random.Next(bytes.Length) : _random.Next(8)] = (byte)_random.Next(256);
        }
        uint status = _random.Next(20) switch
        {
            0 => 0xc000009d,
            1 => WindowsError.StatusBufferOverflow,
            2 => WindowsError.StatusCancelled,
            _ => WindowsError.StatusSuccess,
        };
        ulong? claimed = _random.Next(10) == 0 ? (ulong)_random.NextInt64() : null;
        nic.EndRead(bytes, status, _random.Next(3) == 0 ? _random.Next(nic.RunningReads) : 0, claimed);
    }

    private void Transmit()
    {
        for (var i = _random.Next(1, 20); i > 0; i--)
        {
            if (_random.Next(4) == 0)
            {
                var (frame, offload) = TestFrames.TcpSuperFrame(_random.Next(2) == 0, _random.Next(1, 20_000), (ushort)_random.Next(200, 1460));
                _batch.Add(frame, offload, 4096);
            }
            else _batch.Add(TestFrames.Plain(_random.Next(14, 2000), i), _random.Next(3) == 0 ? new FrameOffload { Flags = FrameFlags.Vlan, VlanTci = 5 } : default);
        }
        _batch.TransmitTo(_queue!);
    }

    private void OpenOrClose()
    {
        if (_queue is null)
        {
            (_queue, _device) = _bench.Open(Guests[_random.Next(2)]);
            return;
        }
        _queue.Close();
        _device!.IsClosed = true;
        (_queue, _device) = (null, null);
    }

    private void Change(FakeVmNic nic)
    {
        nic.HoldsWrites = _random.Next(2) == 0;
        nic.WriteError = _random.Next(4) == 0 ? 1450 : 0;
        nic.ReadError = _random.Next(20) == 0 ? 6 : 0;
        if (_random.Next(3) == 0) _windows.Refusals[nameof(IVmSwitch.MakeNic)] = WindowsError.AccessDenied;
        else _windows.Refusals.Clear();
    }

    private void AssertFramesPass()
    {
        if (_queue is not null) OpenOrClose();
        _windows.Refusals.Clear();
        (_queue, _device) = _bench.Open(OffloadSet.None);
        _bench.Until(() =>
        {
            var nic = _windows.Nic;
            (nic.HoldsWrites, nic.WriteError, nic.ReadError) = (false, 0, 0);
            while (nic.RunningWrites > 0) nic.EndWrite(0);
            _time.Advance(100);
            return _bench.Endpoint.Link.IsUp && nic.RunningReads == FrameReads.InFlight;
        }, $"the link is up, seed {_seed}");
        Assert.All(_windows.Nics.SelectMany(nic => nic.Written), frame => Assert.True(frame.Length is >= FrameWrites.MinFrame and <= FrameWrites.MaxTaggedFrame, $"{frame.Length} bytes, seed {_seed}"));
        _windows.Nic.EndRead(FakeVmNic.Chain(TestFrames.Plain(77, 1)));
        _bench.Until(() => _device.Received.Any(frame => frame.Bytes.AsSpan().SequenceEqual(TestFrames.Plain(77, 1))), $"a frame to the guest, seed {_seed}");
        _windows.Nic.Written.Clear();
        Assert.Equal(1, _batch.Add(TestFrames.Plain(78, 2)).TransmitTo(_queue));
        Assert.Equal(TestFrames.Plain(78, 2), _windows.Nic.Written.Single());
    }
}
