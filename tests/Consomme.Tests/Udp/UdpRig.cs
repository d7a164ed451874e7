using NicHost.Consomme.Core;
using NicHost.Contracts.Frames;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Udp;

/// <summary>Guests, sockets of the host, and frames for UDP tests.</summary>
public abstract class UdpRig : IDisposable
{
    private protected const string Loopback = """{"hostLoopback":true}""";
    private readonly List<IDisposable> _open = [];

    public static TheoryData<bool> Versions => new(true, false);

    public void Dispose()
    {
        foreach (var one in _open) one.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static void Send(Guest guest, (byte[] Frame, FrameOffload Offload) one) => guest.Send(one.Frame, one.Offload);

    private protected static IpAddr Us(bool v4) => v4 ? Guest.Address : Guest.Address6;

    private protected static IpAddr Gateway(bool v4) => v4 ? Guest.Gateway : Guest.Gateway6;

    private protected static IpAddr Source(byte[] frame) => frame[12] == 8 ? IpAddr.FromV4(frame.AsSpan(26)) : IpAddr.FromV6(frame.AsSpan(22));

    private protected static (ushort From, ushort To) Ports(byte[] frame)
    {
        var at = frame[12] == 8 ? 34 : 54;
        return (Frames.Word(frame, at), Frames.Word(frame, at + 2));
    }

    private protected static (byte[] Frame, FrameOffload Offload) SuperFrame(bool v4, ushort from, ushort to, byte[] payload, ushort size)
    {
        var frame = Frames.Udp(Us(v4), from, Gateway(v4), to, payload);
        var at = v4 ? 34 : 54;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(at + 6), TestFrames.PseudoSum(frame, v4, 17, frame.Length - at));
        return (frame, new FrameOffload { Checksum = ChecksumState.Partial, ChecksumStart = (ushort)at, ChecksumOffset = 6, Gso = GsoKind.Udp, SegmentSize = size });
    }

    private protected static IEnumerable<byte[]> Fragmented(bool v4, byte[] segment)
    {
        const int size = 1440;
        for (var at = 0; at < segment.Length; at += size)
        {
            var piece = segment.AsSpan(at, Math.Min(size, segment.Length - at));
            var more = at + piece.Length < segment.Length;
            yield return v4
                ? Frames.Ip(Us(v4), Gateway(v4), 17, piece, id: 9, fragment: (ushort)((more ? 0x2000 : 0) | (at / 8)))
                : Frames.Ip(Us(v4), Gateway(v4), 44, [17, 0, (byte)(at >> 8), (byte)((at & 0xf8) | (more ? 1 : 0)), 0, 0, 0, 9, .. piece]);
        }
    }

    private protected static byte[] Whole(bool v4, IEnumerable<byte[]> frames)
    {
        var whole = new byte[65536];
        var end = 0;
        foreach (var frame in frames)
        {
            var at = v4 ? (Frames.Word(frame, 20) & 0x1fff) * 8 : Frames.Word(frame, 56) & 0xfff8;
            var payload = frame.AsSpan(v4 ? 34 : 62);
            payload.CopyTo(whole.AsSpan(at));
            end = Math.Max(end, at + payload.Length);
        }
        return whole[..end];
    }

    private protected Guest Make(string options = Loopback, OffloadSet accepted = OffloadSet.None, Microsoft.Extensions.Time.Testing.FakeTimeProvider? time = null)
    {
        var guest = new Guest(options, accepted, time: time);
        _open.Add(guest);
        return guest;
    }

    private protected HostSocket HostSocket(bool v4)
    {
        var host = new HostSocket(v4);
        _open.Add(host);
        return host;
    }
}
