using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>
/// Debian's passt in the product's place (NICHOST_TEST_BACKEND=passt), to tell a fault of the lab from one of ours.
/// It offers no virtio offloads and only QEMU can use it.
/// </summary>
internal sealed class PasstBackend(NetnsLab lab, string name, int mtu) : Backend(lab, name)
{
    public override NicPlug Plug => new(NicTransport.Stream, Path.Combine(Folder, "passt.sock"), "52:54:00:12:34:56");

    protected override IEnumerable<string> Command() =>
    [
        "passt", "--foreground", "--socket", Plug.Socket, "--runas", "0", "--mtu", $"{mtu}", "--address", "10.0.2.15", "--netmask", "24", "--gateway", "10.0.2.2",
        "--dns", "10.98.0.53", "--dns-forward", "10.0.2.3", "-t", "10.99.0.2/2222:22", "-u", "10.99.0.2/5353:53",
    ];
}
