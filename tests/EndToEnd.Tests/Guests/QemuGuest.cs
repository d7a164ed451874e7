using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>Debian's cloud kernel under QEMU (q35). Software emulation, unless NICHOST_TEST_KVM=1.</summary>
internal sealed class QemuGuest(Netns where, string folder, NicPlug nic, int cpus = 1, string deviceOptions = "disable-legacy=on") : Guest(where, folder)
{
    private const string Qemu = "qemu-system-x86_64";
    private const int Megabytes = 640;
    private static readonly bool s_kvm = Environment.GetEnvironmentVariable("NICHOST_TEST_KVM") == "1";

    // QEMU 7.2 without KVM dies of SIGSEGV when a vhost device with MSI-X starts; INTx (vectors=0) avoids it.
    private static readonly Lazy<bool> s_msixBroken = new(() => !s_kvm && Shell.Run(Qemu, "--version").Contains("version 7.", StringComparison.Ordinal));

    protected override IEnumerable<string> Command()
    {
        var kernel = Directory.GetFiles("/boot", "vmlinuz-*-cloud-amd64").Order(StringComparer.Ordinal).Last();
        string[] chardevAndNetdev = nic.Transport switch
        {
            NicTransport.VhostUser =>
            [
                "-chardev", $"socket,id=vu,path={nic.Socket},reconnect=1", "-netdev", "vhost-user,id=n0,chardev=vu" + (nic.Queues > 1 ? $",queues={nic.Queues}" : ""),
            ],
            NicTransport.Stream => ["-netdev", $"stream,id=n0,server=off,addr.type=unix,addr.path={nic.Socket}"],
            _ => ["-netdev", "user,id=n0"],
        };
        var device = $"virtio-net-pci,netdev=n0,mac={nic.Mac},{deviceOptions}";
        if (nic.Queues > 1)
            device += ",mq=on";
        if (s_msixBroken.Value)
            device += ",vectors=0";
        return
        [
            Qemu,
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", s_kvm ? "kvm" : "tcg", "-cpu", s_kvm ? "host" : "max,la57=off", "-smp", QemuCpus.Option(cpus), "-m", $"{Megabytes}",
            "-machine", "q35,memory-backend=ram0", "-object", $"memory-backend-memfd,id=ram0,size={Megabytes}M,share=on",
            "-serial", $"file:{ConsoleLog}", "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
            .. chardevAndNetdev, "-device", device,
            "-kernel", kernel, "-initrd", GuestImage.Of("qemu"),
            "-append", "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t mitigations=off tsc=nowatchdog random.trust_cpu=on net.ifnames=0 nichost.tty=ttyS1",
        ];
    }
}
