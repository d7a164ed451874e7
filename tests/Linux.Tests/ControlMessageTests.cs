using CsCheck;

namespace NicHost.Linux.Tests;

public sealed class ControlMessageTests
{
    [Fact]
    public void Written_messages_read_back_in_order() =>
        Gen.Select(Gen.Int, Gen.Int, Gen.Byte.Array[0, 40]).Array[0, 6].Sample(messages =>
        {
            byte[] buffer = new byte[512];
            ControlWriter writer = new(buffer);
            foreach ((int level, int type, byte[] data) in messages) Assert.True(writer.TryAdd(level, type, data));
            Assert.Equal(messages.Sum(m => ControlMessage.Space(m.Item3.Length)), writer.Length);
            ControlReader reader = new(buffer.AsSpan(0, writer.Length));
            foreach ((int level, int type, byte[] data) in messages)
            {
                Assert.True(reader.MoveNext());
                Assert.True(reader.Is(level, type));
                Assert.Equal(data, reader.Data.ToArray());
            }

            Assert.False(reader.MoveNext());
        });

    [Fact]
    public void Any_bytes_are_walked_to_an_end() =>
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            ControlReader reader = new(bytes);
            int count = 0;
            while (reader.MoveNext()) Assert.True(++count <= bytes.Length / ControlMessage.HeaderLength);
        });

    [Fact]
    public void What_does_not_fit_is_not_written()
    {
        byte[] buffer = new byte[23];
        ControlWriter writer = new(buffer);
        Assert.False(writer.TryAdd(1, 2, (ushort)3));
        Assert.Equal(0, writer.Length);
        Assert.Equal(-1, buffer.AsSpan().IndexOfAnyExcept((byte)0));
    }
}
