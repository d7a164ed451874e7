using NicHost.Contracts.Nics;

namespace NicHost.Contracts.Tests.Nics;

public sealed class MacAddressTests
{
    [Theory]
    [InlineData("52:54:00:12:34:56", "52:54:00:12:34:56")]
    [InlineData("52-54-00-AB-cd-EF", "52:54:00:ab:cd:ef")]
    public void TryParse_of_either_separator_prints_with_colons(string text, string expected)
    {
        Assert.True(MacAddress.TryParse(text, out var mac));
        Assert.Equal(expected, mac.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("52:54:00:12:34")]
    [InlineData("52:54:00:12:34:5")]
    [InlineData("52:54-00:12:34:56")]
    [InlineData("52:54:00:12:34:5g")]
    [InlineData("52:54:00:12:34:56:")]
    [InlineData("5254.0012.3456")]
    [InlineData(" 2:54:00:12:34:56")]
    public void TryParse_of_anything_else_refuses(string text) => Assert.False(MacAddress.TryParse(text, out _));

    [Fact]
    public void Derive_gives_a_stable_local_unicast_address()
    {
        var mac = MacAddress.Derive(new NicIdentity("web", "eth0"));
        Assert.Equal(mac, MacAddress.Derive(new NicIdentity("web", "eth0")));
        Assert.NotEqual(mac, MacAddress.Derive(new NicIdentity("web", "eth1")));
        Assert.NotEqual(MacAddress.Derive(new NicIdentity("a", "bc")), MacAddress.Derive(new NicIdentity("ab", "c")));
        Assert.False(mac.IsGroup);
        Assert.Equal(2UL, (mac.Value >> 40) & 3);
    }
}
