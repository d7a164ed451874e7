using System.Globalization;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests.Dio;

/// <summary>A host of its own: a network namespace and a folder that stands for its /run, with the samples in it.</summary>
internal sealed class DioHost : IHostWorld, IDisposable
{
    public DioHost(string name, string folder)
    {
        Host = new Netns(name);
        Folder = Directory.CreateDirectory(folder).FullName;
        // Who made an interface is not asked in a world where only we make some; and no address comes by itself.
        Host.Sysctl("net.ipv6.conf.default.accept_ra", "0");
        Directory.CreateDirectory(Path.Combine(Folder, "samples"));
        // It would become another user, who does not reach this folder.
        File.WriteAllText(Sample("bridge-dnsmasq.conf"), Here(File.ReadAllText(Repository.PathOf("samples/bridge-dnsmasq.conf"))) + "user=root\n");
    }

    public Netns Host { get; }

    public string Folder { get; }

    /// <summary>Settings of processes on this host.</summary>
    public IEnumerable<string> Environment => [$"RUNTIME_DIRECTORY={Folder}", $"OVS_RUNDIR={Folder}", $"OVS_LOGDIR={Folder}", $"OVS_DBDIR={Folder}", "USER=root"];

    public string Sample(string name) => Path.Combine(Folder, "samples", name);

    /// <summary>Runs commands as root of this host, in a folder that has <c>samples/</c>, and returns what they printed.</summary>
    public string Run(string commands) => Host.Exec("env",
        [
            .. Environment, "bash", "-euc",
            $"cd {Folder}; sudo() {{ \"$@\"; }}; nichost() {{ {Repository.PathOf("nichost")} \"$@\"; }}\n{Here(commands)}",
        ]);

    /// <summary>Packets and bytes that came in and went out at an interface.</summary>
    public Traffic Count(string nic)
    {
        long Read(string name) => long.Parse(Host.Exec("cat", $"/sys/class/net/{nic}/statistics/{name}"), CultureInfo.InvariantCulture);
        return new Traffic(Read("rx_packets"), Read("rx_bytes"), Read("tx_packets"), Read("tx_bytes"));
    }

    /// <summary>Flags, MTU and bridge of every interface.</summary>
    public string Links() => Host.Ip("-o link");

    public void Dispose()
    {
        foreach (var process in Shell.Run("ip", "netns", "pids", Host.Name).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            Native.Signal(int.Parse(process, CultureInfo.InvariantCulture), Native.SigKill);
        Host.Dispose();
    }

    private string Here(string text) => text.Replace("/run/", $"{Folder}/", StringComparison.Ordinal);
}

/// <summary>What an interface has counted.</summary>
internal readonly record struct Traffic(long PacketsIn, long BytesIn, long PacketsOut, long BytesOut)
{
    public double SizeIn => (double)BytesIn / Math.Max(1, PacketsIn);

    public double SizeOut => (double)BytesOut / Math.Max(1, PacketsOut);

    public Traffic Since(Traffic before) => new(PacketsIn - before.PacketsIn, BytesIn - before.BytesIn, PacketsOut - before.PacketsOut, BytesOut - before.BytesOut);
}
