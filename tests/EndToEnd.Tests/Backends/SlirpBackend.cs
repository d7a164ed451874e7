using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Backends;

/// <summary>QEMU's own NAT in the product's place (NICHOST_TEST_BACKEND=slirp); as <see cref="PasstBackend"/>.</summary>
internal sealed class SlirpBackend(NetnsLab lab, string name) : Backend(lab, name)
{
    public override NicPlug Plug => new(NicTransport.QemuUser, Path.Combine(Folder, "ready"), "52:54:00:12:34:56");

    // There is no process to start; this one stands for it and ends with the test.
    protected override IEnumerable<string> Command() => ["sh", "-c", $"touch {Plug.Socket}; exec sleep 3600"];
}
