using System.Buffers.Binary;
using CsCheck;

namespace NicHost.Wire.Tests;

public sealed class InternetChecksumTests
{
    /// <summary>RFC 1071 section 4.1, as plainly as it is said there.</summary>
    private static ushort Naive(ReadOnlySpan<byte> data, uint start = 0)
    {
        ulong sum = start;
        for (int i = 0; i + 1 < data.Length; i += 2) sum += (uint)(data[i] << 8 | data[i + 1]);
        if ((data.Length & 1) != 0) sum += (uint)data[^1] << 8;
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)sum;
    }

    /// <summary>0 and 0xFFFF are the same number in one's complement.</summary>
    private static int Canonical(ushort sum) => sum == 0xFFFF ? 0 : sum;

    private static void AssertSame(ushort expected, ushort actual) => Assert.Equal(Canonical(expected), Canonical(actual));

    private static byte[] Bytes(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Fact]
    public void Every_short_length_at_every_offset_matches_the_naive_sum()
    {
        byte[] bytes = Bytes(700, 1);
        for (int offset = 0; offset < 65; offset++)
        {
            for (int length = 0; length <= 600; length++)
            {
                ReadOnlySpan<byte> data = bytes.AsSpan(offset, length);
                Assert.Equal(Naive(data), InternetChecksum.Fold(InternetChecksum.Add(0, data)));
            }
        }
    }

    [Fact]
    public void Any_length_offset_and_start_match_the_naive_sum() =>
        Gen.Select(Gen.Int[0, 70_000], Gen.Int[0, 67], Gen.UInt, Gen.Int).Sample((length, offset, start, seed) =>
        {
            ReadOnlySpan<byte> data = Bytes(length + offset, seed).AsSpan(offset);
            AssertSame(Naive(data, start), InternetChecksum.Fold(InternetChecksum.Add(start, data)));
        });

    [Theory]
    [InlineData(65_535)]
    [InlineData(65_536)]
    [InlineData(70_000)]
    [InlineData(1_000_001)]
    public void Largest_words_do_not_overflow(int length)
    {
        byte[] ones = new byte[length];
        ones.AsSpan().Fill(0xFF);
        AssertSame(Naive(ones), InternetChecksum.Fold(InternetChecksum.Add(uint.MaxValue, ones)));
        byte[] target = new byte[length];
        AssertSame(Naive(ones), InternetChecksum.Fold(InternetChecksum.Copy(uint.MaxValue, ones, target)));
    }

    [Fact]
    public void Copying_copies_and_sums_alike() =>
        Gen.Select(Gen.Int[0, 9_000], Gen.Int[0, 33], Gen.UInt, Gen.Int).Sample((length, offset, start, seed) =>
        {
            ReadOnlySpan<byte> data = Bytes(length + offset, seed).AsSpan(offset);
            byte[] target = new byte[length + 1];
            target[^1] = 0x77;
            uint sum = InternetChecksum.Copy(start, data, target);
            Assert.True(data.SequenceEqual(target.AsSpan(0, length)));
            Assert.Equal(0x77, target[^1]);
            AssertSame(Naive(data, start), InternetChecksum.Fold(sum));
        });

    [Fact]
    public void Copying_into_less_room_is_refused() =>
        Assert.Throws<ArgumentException>(() => InternetChecksum.Copy(0, new byte[9], new byte[8]));

    [Fact]
    public void Parts_of_odd_lengths_sum_as_the_whole() =>
        Gen.Select(Gen.Int[0, 300].Array[0, 9], Gen.Int).Sample((lengths, seed) =>
        {
            byte[] whole = Bytes(lengths.Sum(), seed);
            ChecksumParts parts = new(0);
            int at = 0;
            foreach (int length in lengths)
            {
                parts.Add(whole.AsSpan(at, length));
                at += length;
            }

            AssertSame(Naive(whole), InternetChecksum.Fold(parts.Sum));
        });

    [Fact]
    public void Updates_equal_a_new_checksum() =>
        Gen.Select(Gen.Byte.Array[40], Gen.Byte.Array[16], Gen.Int[0, 12]).Sample((data, replacement, at) =>
        {
            // Data that is all zero has the one sum that no update can keep apart (RFC 1624 section 3).
            if (data.All(b => b == 0)) return;
            at *= 2;
            foreach (int size in new[] { 2, 4, 16 })
            {
                byte[] changed = [.. data];
                replacement.AsSpan(0, size).CopyTo(changed.AsSpan(at));
                ushort before = InternetChecksum.Compute(data);
                ushort updated = size switch
                {
                    2 => InternetChecksum.Update(before, Read16(data, at), Read16(changed, at)),
                    4 => InternetChecksum.Update(before, BinaryPrimitives.ReadUInt32BigEndian(data.AsSpan(at)), BinaryPrimitives.ReadUInt32BigEndian(changed.AsSpan(at))),
                    _ => InternetChecksum.Update(before, BinaryPrimitives.ReadUInt128BigEndian(data.AsSpan(at)), BinaryPrimitives.ReadUInt128BigEndian(changed.AsSpan(at))),
                };
                AssertSame(InternetChecksum.Compute(changed), updated);
            }

            static ushort Read16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at));
        });

    [Fact]
    public void Update_of_rfc_1624_gives_zero_and_not_minus_zero() =>
        Assert.Equal(0x0000, InternetChecksum.Update(0xDD2F, 0x5555, 0x3285)); // RFC 1624 section 4

    [Fact]
    public void Pseudo_headers_sum_as_their_bytes() =>
        Gen.Select(Gen.Byte.Array[32], Gen.Byte, Gen.Int[0, 200_000]).Sample((addresses, protocol, length) =>
        {
            byte[] v6 = new byte[40];
            addresses.CopyTo(v6, 0);
            BinaryPrimitives.WriteInt32BigEndian(v6.AsSpan(32), length);
            v6[39] = protocol;
            uint sum6 = InternetChecksum.PseudoHeader(
                BinaryPrimitives.ReadUInt128BigEndian(addresses), BinaryPrimitives.ReadUInt128BigEndian(addresses.AsSpan(16)), protocol, length);
            AssertSame(Naive(v6), InternetChecksum.Fold(sum6));
            AssertSame(Naive(v6), InternetChecksum.Fold(InternetChecksum.PseudoV6(addresses, protocol, length)));

            byte[] v4 = new byte[12];
            addresses.AsSpan(0, 8).CopyTo(v4);
            v4[9] = protocol;
            BinaryPrimitives.WriteUInt16BigEndian(v4.AsSpan(10), (ushort)length);
            uint sum4 = InternetChecksum.PseudoHeader(
                BinaryPrimitives.ReadUInt32BigEndian(addresses), BinaryPrimitives.ReadUInt32BigEndian(addresses.AsSpan(4)), protocol, (ushort)length);
            AssertSame(Naive(v4), InternetChecksum.Fold(sum4));
            AssertSame(Naive(v4), InternetChecksum.Fold(InternetChecksum.PseudoV4(addresses, protocol, (ushort)length)));
        });

    [Fact]
    public void Completing_a_partial_checksum_makes_a_valid_packet() =>
        Gen.Select(Gen.Byte.Array[8, 300], Gen.UInt, Gen.UInt).Sample((segment, source, destination) =>
        {
            uint pseudo = InternetChecksum.PseudoHeader(source, destination, IpProtocol.Udp, segment.Length);
            BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(UdpView.ChecksumAt), InternetChecksum.Partial(pseudo));
            Assert.True(InternetChecksum.TryComplete(segment, 0, UdpView.ChecksumAt));
            Assert.True(InternetChecksum.IsValid(InternetChecksum.Add(pseudo, segment)));
        });

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    [InlineData(10, 9)]
    [InlineData(21, 0)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0, int.MaxValue)]
    public void Completing_outside_of_the_frame_is_refused(int start, int offset) =>
        Assert.False(InternetChecksum.TryComplete(new byte[20], start, offset));

    [Fact]
    public void Udp_never_says_none()
    {
        Assert.Equal(0xFFFF, InternetChecksum.FinishUdp(0xFFFF));
        Assert.Equal(0x0000, InternetChecksum.Finish(0xFFFF));
    }
}
