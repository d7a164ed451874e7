using NicHost.Probe.Checks;

namespace NicHost.Probe.Tests.Checks;

public sealed class GuestAddressTests
{
    [Theory]
    [InlineData("192.0.2.2", "192.0.2.2/24")]
    [InlineData("10.0.0.1/8", "10.0.0.1/8")]
    [InlineData("fd00::1", "fd00::1/64")]
    [InlineData("fd00::1/128", "fd00::1/128")]
    public void Address_is_read_with_or_without_its_prefix(string text, string expected)
    {
        Assert.True(GuestAddress.TryParse(text, out var address));
        Assert.Equal(expected, address.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("example")]
    [InlineData("0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("192.0.2.2/33")]
    [InlineData("192.0.2.2/-1")]
    [InlineData("192.0.2.2/24/24")]
    [InlineData("fd00::1/129")]
    public void Text_that_is_no_address_of_a_guest_is_refused(string? text) => Assert.False(GuestAddress.TryParse(text, out _));
}
