using System.Text;
using NicHost.Consomme.Dns;
using NicHost.Fuzz.Engine;

namespace NicHost.Fuzz.Targets;

/// <summary>The host's resolver configuration, whatever somebody has written into it.</summary>
internal sealed class ResolvConfTarget : FuzzTarget
{
    private const int MaxServers = 8;
    private readonly string _path = Path.GetTempFileName();

    public override string Name => "resolvconf";

    public override IReadOnlyList<byte[]> Dictionary =>
        [.. new[] { "nameserver ", "search ", "domain ", "options ", "127.0.0.53", "fe80::1%eth0", "::1", "\n", "\r\n", "\t", "#", ";", "%" }.Select(Encoding.ASCII.GetBytes)];

    public override void Run(ReadOnlySpan<byte> input)
    {
        File.WriteAllBytes(_path, input);
        var conf = new ResolvConf(_path);
        conf.Refresh(0);
        Require(conf.Servers.Count <= MaxServers, "More servers than anybody asks.");
        Require(conf.Servers.All(s => s.Port > 0), "A server without a port.");
        Require(!conf.Refresh(10_000), "The same text is new.");
    }

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds()
    {
        yield return ("usual", "# made by hand\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch example.org lan\noptions ndots:2\n"u8.ToArray());
        yield return ("odd", "domain corp\r\n  nameserver\t127.0.0.53 # stub\n;search x\nnameserver fe80::1%lo\nnameserver not-an-address\n"u8.ToArray());
    }

    public override void Dispose()
    {
        File.Delete(_path);
        base.Dispose();
    }
}
