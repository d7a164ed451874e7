using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>
/// Two hosts and the cable between them, which carries whole frames only (no checksum and no segment is left to its far end):
/// <code>
/// A 192.0.2.1, cable --- cable, 192.0.2.2 B
/// </code>
/// </summary>
internal sealed class DioWorld : IDisposable
{
    public const string Cable = "cable";
    private readonly string _folder = Directory.CreateTempSubdirectory("nichost-dio-").FullName;

    public DioWorld(int cableMtu = 1500)
    {
        var prefix = NetnsLab.NewPrefix();
        A = new DioHost($"{prefix}-a", Path.Combine(_folder, "a"));
        B = new DioHost($"{prefix}-b", Path.Combine(_folder, "b"));
        A.Host.Ip($"link add {Cable} mtu {cableMtu} type veth peer name {Cable} mtu {cableMtu} netns {B.Host.Name}");
        foreach (var (host, address) in new[] { (A, "192.0.2.1/24"), (B, "192.0.2.2/24") })
        {
            host.Host.Exec("ethtool", "-K", Cable, "tx", "off", "tso", "off", "gso", "off");
            host.Host.Ip($"address add {address} dev {Cable}");
            host.Host.Ip($"link set {Cable} up");
        }
    }

    public DioHost A { get; }

    public DioHost B { get; }

    public void Dispose()
    {
        A.Dispose();
        B.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
