using NicHost.Testing.Snapshots;
using VerifyXunit;

namespace NicHost.Packages.Tests.Snapshots;

public sealed class LineDifferenceTests
{
    private const string Before = """
        host
          unloadable: false
        db/eth0
          device:
            kind: "virtio"
            queues: 1
            socket: "/tmp/db.sock"
          mtu: 1500
        web/eth0
          device:
            kind: "virtio"
            queues: 1
            socket: "/tmp/web.sock"
          endpoint:
            kind: "null"
          mtu: 1500
        """;

    [Fact]
    public Task Changes_are_shown_with_their_NIC_and_what_stands_around_them() => Verifier.Verify(LineDifference.Render(Before, Before
        .Replace("/tmp/web.sock", "/run/web.sock", StringComparison.Ordinal)
        .Replace("""
              endpoint:
                kind: "null"
              mtu: 1500
            """, """
              endpoint:
                kind: "loopback"
              mtu: 9000
            new/eth0
              mtu: 68
            """, StringComparison.Ordinal)));

    [Theory]
    [InlineData("", "a\n")]
    [InlineData("a\n", "")]
    [InlineData("a", "b")]
    [InlineData("a\nb\nc", "c\nb\na")]
    [InlineData("a\nb\na\nb", "b\na\nb\na")]
    public void Lines_of_either_text_are_all_there_in_their_order(string before, string after)
    {
        var lines = LineDifference.Render(before, after).TrimEnd('\n').Split('\n');
        Assert.Equal(before.Split('\n'), lines.Where(line => line[0] is ' ' or '-').Select(line => line[2..]));
        Assert.Equal(after.Split('\n'), lines.Where(line => line[0] is ' ' or '+').Select(line => line[2..]));
    }
}
