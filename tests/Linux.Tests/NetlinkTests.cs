namespace NicHost.Linux.Tests;

public sealed class NetlinkTests
{
    [Fact]
    public void Loopback_is_found_as_what_it_is()
    {
        using Rtnl rtnl = new();
        LinkInfo? lo = rtnl.Find("lo");
        Assert.NotNull(lo);
        Assert.Equal(("lo", 1, 0), (lo.Name, lo.Index, lo.Master));
        Assert.Contains(rtnl.All(), link => link.Name == "lo" && link.Mtu == lo.Mtu);
    }

    [Fact]
    public void Link_that_is_not_there_is_null()
    {
        using Rtnl rtnl = new();
        Assert.Null(rtnl.Find("no-such-link"));
    }

    [Fact]
    public void Written_attributes_are_read_back()
    {
        NetlinkWriter writer = new(stackalloc byte[128], 16, 1);
        writer.Struct(0x1122_3344_5566_7788L);
        writer.Struct(0L);
        writer.Add(3, "web0");
        int nested = writer.Begin(18);
        writer.Add(1, "bridge");
        writer.AddByte(7, 9);
        writer.End(nested);
        NetlinkReader reader = new(writer.Message);
        Assert.True(reader.MoveNext());
        NetlinkAttributes attributes = new(reader.Body[16..]);
        Assert.True(attributes.MoveNext());
        Assert.Equal((3, "web0"), (attributes.Type, attributes.Text));
        Assert.True(attributes.MoveNext());
        Assert.Equal(18, attributes.Type);
        NetlinkAttributes inner = new(attributes.Data);
        Assert.True(inner.MoveNext());
        Assert.Equal("bridge", inner.Text);
        Assert.True(inner.MoveNext());
        Assert.Equal(9u, inner.Number);
        Assert.False(inner.MoveNext());
        Assert.False(attributes.MoveNext());
        Assert.False(reader.MoveNext());
    }

    [Fact]
    public void Any_bytes_are_read_without_harm()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] bytes = new byte[256];
        for (int round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            int length = random.Next(bytes.Length + 1);
            // Small lengths, so that walks go on.
            for (int at = 0; at + 1 < length; at += 4) (bytes[at], bytes[at + 1]) = ((byte)random.Next(40), 0);
            NetlinkReader reader = new(bytes.AsSpan(0, length));
            int messages = 0;
            while (reader.MoveNext()) Assert.True(++messages <= 16, $"seed {seed}");
            _ = LinkInfo.Read(bytes.AsSpan(0, length));
        }
    }
}
