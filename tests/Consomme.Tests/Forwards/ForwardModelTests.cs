using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace NicHost.Consomme.Tests.Forwards;

/// <summary>Any change after any other: what is open is what the options say, or, where somebody else has a port, what it was before.</summary>
public sealed class ForwardModelTests(ITestOutputHelper output)
{
    private static readonly string[] Hosts = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "[::1]", "[::]"];

    [Fact]
    public void Open_ports_are_those_of_the_last_change_that_was_possible()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        int[] ports = [.. Enumerable.Range(0, 4).Select(_ => ForwardClient.FreePort()), 0];
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var foreign = ((IPEndPoint)taken.LocalEndPoint!).Port;

        using var guest = new Guest("{}");
        // What other tests left to the collector must not go in the middle of this one.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var others = Sockets();
        List<string> forwards = [];
        var refused = 0;
        for (var round = 0; round < 300; round++)
        {
            var wanted = Choose(random, ports);
            var possible = random.Next(5) > 0;
            var asked = possible ? wanted : [.. wanted, $"tcp:127.0.0.1:{foreign}-1"];
            var error = Record.Exception(() => guest.Reconfigure($$"""{ "forwards": [{{string.Join(',', asked.Select(f => $"\"{f}\""))}}] }"""));
            Assert.True(possible ? error is null : error is IOException, $"round {round}: {error}");
            if (possible) forwards = wanted;
            else refused++;
            Assert.Equal(forwards.Order(StringComparer.Ordinal), Shown(guest).Order(StringComparer.Ordinal));
            Assert.Equal(others + forwards.Count, Sockets());
        }
        Assert.InRange(refused, 1, 299);
    }

    /// <summary>Some forwards that do not exclude each other: of one port either all addresses of an IP version or single ones.</summary>
    private static List<string> Choose(Random random, int[] ports)
    {
        var chosen = new List<string>();
        foreach (var protocol in new[] { "tcp", "udp" })
        {
            foreach (var port in ports)
            {
                var hosts = Hosts.Where(_ => random.Next(3) == 0).ToList();
                if (hosts.Contains("0.0.0.0")) hosts.RemoveAll(h => h.StartsWith("127", StringComparison.Ordinal));
                if (hosts.Contains("[::]")) hosts.Remove("[::1]");
                chosen.AddRange(hosts.Select(host => string.Create(CultureInfo.InvariantCulture, $"{protocol}:{host}:{port}-{random.Next(1, 4)}")));
            }
        }
        return [.. chosen.OrderBy(_ => random.Next())];
    }

    private static int Sockets() => Directory.GetFileSystemEntries("/proc/self/fd").Count(fd => new FileInfo(fd).LinkTarget is { } target && target.StartsWith("socket:", StringComparison.Ordinal));

    private static IEnumerable<string> Shown(Guest guest)
    {
        var tree = guest.Inspect().Children;
        var tcp = tree.Single(c => c.Name == "tcp").Children.Single(c => c.Name == "listeners").Children.Select(c => c.Name);
        var udp = tree.Single(c => c.Name == "udp").Children.Single(c => c.Name == "forwards").Children.Select(c => (string)c.Value!);
        return tcp.Concat(udp);
    }
}
