using Microsoft.Extensions.Time.Testing;
using NicHost.Contracts.Frames;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Probe.Frontend;
using NicHost.Probe.Stack;

namespace NicHost.Probe.Tests.Stack;

/// <summary>Two stacks and the wire between them, on a clock that only tests move.</summary>
internal sealed class WirePair : IDisposable
{
    public WirePair(OffloadSet offloads = OffloadSet.None, int mtu = 1500, int split = int.MaxValue)
    {
        Ram = new GuestRam(16 << 20);
        A = new End(MacAddress.Derive(new NicIdentity("pair", "a")), this, offloads, mtu, split);
        B = new End(MacAddress.Derive(new NicIdentity("pair", "b")), this, offloads, mtu, split);
        A.Peer = B;
        B.Peer = A;
        Configure(A, "10.0.0.1", "fd00::1");
        Configure(B, "10.0.0.2", "fd00::2");
    }

    public FakeTimeProvider Clock { get; } = new();

    public GuestRam Ram { get; }

    public End A { get; }

    public End B { get; }

    /// <summary>Says whether a frame is lost: sender, number of the frame, its bytes.</summary>
    public Func<End, int, byte[], bool>? Lose { get; set; }

    /// <summary>Says whether a frame is overtaken by the next one: sender, number of the frame.</summary>
    public Func<End, int, bool>? Late { get; set; }

    /// <summary>Runs both until the condition holds, a millisecond at a time.</summary>
    public void RunUntil(Func<bool> done, int milliseconds = 5000)
    {
        for (var i = 0; i < milliseconds; i++)
        {
            for (var round = 0; round < 4; round++)
            {
                A.Poll();
                B.Poll();
                if (done()) return;
            }
            Clock.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Fail($"Nothing came of it in {milliseconds} ms. A: {A.Stack.Faults}. B: {B.Stack.Faults}.");
    }

    public void AssertNoFaults()
    {
        Assert.Equal("", A.Stack.Faults.ToString());
        Assert.Equal("", B.Stack.Faults.ToString());
    }

    public void Dispose() => Ram.Dispose();

    private static void Configure(End end, string v4, string v6)
    {
        end.Stack.Address4 = Ip.Parse(v4);
        end.Stack.Address6 = Ip.Parse(v6);
    }
}

/// <summary>One end: a link that hands frames to the other one.</summary>
internal sealed unsafe class End : ILink
{
    private readonly WirePair _pair;
    private readonly int _split;
    private readonly Queue<(byte[] Frame, FrameOffload Offload)> _arrived = new();
    private readonly byte[] _room = new byte[70000];
    private int _sent;
    private (byte[] Frame, FrameOffload Offload)? _overtaken;

    public End(MacAddress mac, WirePair pair, OffloadSet offloads, int mtu, int split)
    {
        Mac = mac;
        _pair = pair;
        _split = split;
        TxOffloads = offloads;
        Mtu = mtu;
        Stack = new ProbeStack(this, pair.Clock) { Mtu = mtu };
    }

    public MacAddress Mac { get; }

    public int Mtu { get; }

    public OffloadSet TxOffloads { get; }

    public ProbeStack Stack { get; }

    public End Peer { get; set; } = null!;

    public int SuperFrames { get; private set; }

    public bool TryBegin(uint flow, int length, out Span<byte> room)
    {
        room = _room;
        return true;
    }

    public void Send(int length, byte* tail, int tailLength, in FrameOffload offload)
    {
        byte[] frame = [.. _room.AsSpan(0, length), .. new ReadOnlySpan<byte>(tail, tailLength)];
        if (offload.Gso != GsoKind.None) SuperFrames++;
        else Assert.True(frame.Length <= Mtu + 14, "A frame is longer than the MTU.");
        var number = _sent++;
        if (_pair.Lose?.Invoke(this, number, frame) == true) return;
        if (_overtaken is null && _pair.Late?.Invoke(this, number) == true)
        {
            _overtaken = (frame, offload);
            return;
        }
        Peer._arrived.Enqueue((frame, offload));
        if (_overtaken is { } late) Peer._arrived.Enqueue(late);
        _overtaken = null;
    }

    public void Poll()
    {
        for (var n = _arrived.Count; n > 0; n--)
        {
            var (frame, offload) = _arrived.Dequeue();
            fixed (byte* p = frame)
            {
                var segments = new List<IoVec>();
                for (var at = 0; at < frame.Length; at += Math.Min(_split, frame.Length - at))
                    segments.Add(new IoVec(p + at, Math.Min(_split, frame.Length - at)));
                Stack.Receive(new RxFrame(segments.ToArray(), frame.Length, offload));
            }
        }
        Stack.Poll();
    }
}
