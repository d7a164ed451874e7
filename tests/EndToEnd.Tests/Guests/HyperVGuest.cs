using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>Debian's cloud kernel with its own hv_vmbus and hv_netvsc under QEMU's software emulation (tests/Guests/hyperv).</summary>
internal sealed class HyperVGuest(Netns where, string folder, NicPlug nic, int cpus = 1) : Guest(where, folder)
{
    private const int Megabytes = 640;

    private VmbusBridge? _bridge;

    private string Ivshmem => Path.Combine(Folder, "ivshmem.sock");

    /// <summary>Messages that passed, and why the bridge ended if it did.</summary>
    public override string Diagnosis() => $"{base.Diagnosis()}\n--- bridge\n{_bridge?.Messages} {_bridge?.Failure}";

    public override async Task KillAsync()
    {
        await base.KillAsync();
        _bridge?.Dispose();
        _bridge = null;
    }

    protected override IEnumerable<string> Command()
    {
        var table = Path.Combine(Folder, "vmbus.aml");
        File.WriteAllBytes(table, AcpiTable.Vmbus());
        _bridge ??= new VmbusBridge(nic.Socket, Ivshmem, (ulong)Megabytes << 20);
        var kernel = Directory.GetFiles("/boot", "vmlinuz-*-cloud-amd64").Order(StringComparer.Ordinal).Last();
        return
        [
            "qemu-system-x86_64",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-smp", QemuCpus.Option(cpus), "-m", $"{Megabytes}",
            "-machine", "q35,memory-backend=ram0", "-object", $"memory-backend-memfd,id=ram0,size={Megabytes}M,share=on",
            "-acpitable", $"sig=SSDT,rev=1,oem_id=NICHST,oem_table_id=VMBUS,data={table}",
            "-chardev", $"socket,id=iv,path={Ivshmem}", "-device", "ivshmem-doorbell,vectors=32,chardev=iv",
            "-serial", $"file:{ConsoleLog}", "-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty",
            "-kernel", kernel, "-initrd", GuestImage.Of("hyperv"),
            "-append", "console=ttyS0 quiet loglevel=4 panic=-1 reboot=t mitigations=off tsc=nowatchdog random.trust_cpu=on net.ifnames=0 nichost.tty=ttyS1",
        ];
    }
}
