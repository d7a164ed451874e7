using CsCheck;
using NicHost.Consomme.Core;
using NicHost.Testing;

namespace NicHost.Consomme.Tests.Ip;

public sealed class PropertyTests
{
    [Fact]
    public void Datagram_cut_anywhere_and_sent_in_any_order_comes_back_whole()
    {
        Gen.Select(Gen.Int[1, 60_000], Gen.Int[1, 180], Gen.Int[0, int.MaxValue]).Sample((size, unit, shuffle) =>
        {
            using var guest = new Guest(buffers: 1024);
            var message = Frames.EchoMessage(Guest.Address, Guest.Gateway, 1, 2, Frames.Pattern(size));
            var step = Math.Max(unit, (message.Length / 250) + 1) * 8;
            step = Math.Min(step, 1480);
            var pieces = new List<byte[]>();
            for (var at = 0; at < message.Length; at += step)
            {
                var piece = message.AsSpan(at, Math.Min(step, message.Length - at));
                pieces.Add(Frames.Ip(Guest.Address, Guest.Gateway, 1, piece, id: 7, fragment: (ushort)((at + piece.Length < message.Length ? 0x2000 : 0) | (at / 8))));
            }
            var order = pieces.ToArray();
            new Random(shuffle).Shuffle(order);
            guest.Send(order);
            var whole = new byte[message.Length];
            foreach (var frame in guest.Device.Received) frame.Bytes.AsSpan(34).CopyTo(whole.AsSpan((Frames.Word(frame.Bytes, 20) & 0x1fff) * 8));
            return whole.AsSpan(8).SequenceEqual(Frames.Pattern(size));
        }, iter: 60, threads: 1);
    }

    [Fact]
    public void Sum_in_pieces_of_any_length_is_the_naive_sum()
    {
        Gen.Select(Gen.Byte.Array[0, 300], Gen.Int[1, 40].Array[1, 20]).Sample((bytes, cuts) =>
        {
            var sum = default(InternetSum);
            var at = 0;
            for (var i = 0; at < bytes.Length; i++)
            {
                var take = Math.Min(cuts[i % cuts.Length], bytes.Length - at);
                sum.Add(bytes.AsSpan(at, take));
                at += take;
            }
            return sum.Folded == TestFrames.Fold(TestFrames.NaiveSum(bytes));
        }, threads: 1);
    }

    [Fact]
    public void Good_frames_with_bytes_changed_are_survived()
    {
        using var guest = new Guest("""{"hostLoopback":true,"limits":{"udpFlows":64,"dnsQueries":4},"dns":{"servers":["127.0.0.1:9"]}}""");
        byte[][] seeds =
        [
            Frames.Udp(Guest.Address, 5000, Guest.Gateway, 9, Frames.Pattern(40)),
            Frames.Udp(Guest.Address6, 5000, Guest.Gateway6, 9, Frames.Pattern(40)),
            Frames.Udp(Guest.Address, 68, Guest.Gateway, 67, Frames.Pattern(300)),
            Frames.Udp(Guest.Address6, 546, Guest.Gateway6, 547, Frames.Pattern(100)),
            Frames.Udp(Guest.Address, 5000, Guest.Dns, 53, Frames.Pattern(40)),
            Frames.Echo(Guest.Address, Guest.Gateway, 1, 1, Frames.Pattern(40)),
            Frames.Ip(Guest.Address6, Guest.Gateway6, 44, [17, 0, 0, 1, 0, 0, 0, 9, .. Frames.Pattern(64)]),
            Frames.Ip(Guest.Address6, Guest.Gateway6, 0, [60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0, 128, 0, 0, 0, 0, 0, 0, 0]),
            Frames.Ip(Guest.LinkLocal, Guest.Gateway6, 58, [135, 0, 0, 0, .. new byte[28]], ttl: 255),
            Frames.ArpRequest(Guest.Address, Guest.Gateway),
        ];
        Gen.Select(Gen.Int[0, seeds.Length - 1], Gen.Select(Gen.Int[12, 90], Gen.Byte).Array[1, 4], Gen.Int[14, 400]).Sample((seed, changes, length) =>
        {
            var frame = seeds[seed].ToArray();
            // Destinations stay as they are: nothing leaves this machine.
            foreach (var (at, value) in changes)
            {
                if (at < frame.Length && at is not (>= 30 and < 54)) frame[at] = value;
            }
            guest.Send(frame[..Math.Min(length, frame.Length)]);
            guest.Device.Received.Clear();
            return guest.Device.OpenReservations == 0;
        }, iter: 20_000, threads: 1);
    }
}
