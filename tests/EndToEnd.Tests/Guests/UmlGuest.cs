using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>
/// User Mode Linux with its vhost-user front-end. The backend must listen before it starts: the driver connects while
/// the kernel boots and does not try again.
/// </summary>
internal sealed class UmlGuest(Netns where, string folder, NicPlug nic) : Guest(where, folder)
{
    protected override IEnumerable<string> Command() =>
    [
        "linux.uml", "mem=640M", $"initrd={GuestImage.Of("uml")}", $"uml_dir={Folder}/uml/", "con0=null,fd:2", "con1=fd:0,fd:1", "con=null", "ssl=null",
        "console=tty0", "quiet", "loglevel=4", "panic=-1", "noreboot", "net.ifnames=0", "nichost.tty=tty1",
        nic.Transport == NicTransport.Tap ? $"vec0:transport=tap,ifname={nic.Socket},depth=128,gro=1" : $"virtio_uml.device={nic.Socket}:1",
    ];
}
