using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>Two NICs on one bus: each on its own network, and nothing that happens to one disturbs the other.</summary>
[Trait("Category", "RealGuest")]
public sealed class HyperVTwoNicsTests
{
    private const int Bulk = 50 << 20;
    private static readonly NetVspSetup s_setup = new(Nics: 2);

    /// <summary>Cards come in any order: each is given a name by its address.</summary>
    private static readonly string s_name = string.Join('\n', new[] { "first", "second" }.Select((name, i) =>
        $"for i in $(seq 100); do a=$(grep -ls {NetVspBackend.MacOf(i)} /sys/class/net/*/address) && break; sleep 0.1; done; a=$(basename $(dirname $a)); "
        + $"[ $a = {name} ] || ip link set $a name {name}"));

    [RealGuestFact]
    public async Task Second_nic_comes_goes_and_speaks_each_version_while_the_first_goes_on()
    {
        await using var lab = await HyperVSetting.BootAsync(s_setup);
        await lab.MustAsync($"{s_name}\nnet-up first > /dev/null");
        await SecondWorksAsync(lab, "boot");
        await BothAtOnceAsync(lab);

        await StartDownloadAsync(lab);
        foreach (var version in new[] { "6", "5", "4", "2", "1", "6.1" })
        {
            // The NIC is made anew: its channel is taken back from the guest, whose driver gives it up, and offered again.
            lab.Host.Apply(s_setup with { SecondNvsp = version });
            await SecondWorksAsync(lab, $"NVSP {version}");
            Assert.Matches($@"version\W+{version}\s", lab.Host.Inspect());
        }
        lab.Host.Apply(s_setup with { Nics = 1 });
        await lab.MustAsync("for i in $(seq 100); do [ ! -e /sys/class/net/second ] && exit 0; sleep 0.1; done; ip link; exit 1", what: "NIC taken away");
        lab.Host.Apply(s_setup);
        await SecondWorksAsync(lab, "NIC given back");
        await FinishDownloadAsync(lab);
        await lab.KernelIsContentAsync();
    }

    /// <summary>It has its own address on its own network, whose gateway leads to the host's loopback.</summary>
    private static async Task SecondWorksAsync(HyperVSetting lab, string after)
    {
        await lab.MustAsync(
            $$"""
            {{s_name}}
            net-up second && ip route replace default via 10.0.2.2 dev first
            """, 40, after);
        var got = await lab.MustAsync($"curl -sS -m 30 http://10.0.3.2:{LabServices.HttpPort}/random/8/1000000 | sha256sum", 40, after);
        Assert.StartsWith(TestBytes.Sha256(8, 1_000_000), got, StringComparison.Ordinal);
    }

    private static async Task BothAtOnceAsync(HyperVSetting lab)
    {
        var sums = await lab.MustAsync(
            $$"""
            for i in 2 3; do curl -sS -m 100 http://10.0.$i.2:{{LabServices.HttpPort}}/random/$i/{{Bulk}} | sha256sum > /run/sum.$i & done
            wait; cat /run/sum.2 /run/sum.3
            """, 120);
        Assert.Equal($"{TestBytes.Sha256(2, Bulk)}  -\n{TestBytes.Sha256(3, Bulk)}  -", sums);
    }

    /// <summary>A download over the first NIC that goes on, slowly, until it is told to finish.</summary>
    private static async Task StartDownloadAsync(HyperVSetting lab) => await lab.MustAsync(
        $$"""
        curl -sS -m 300 http://{{NetnsLab.ServerAddress}}:{{LabServices.HttpPort}}/random/4/{{Bulk}} 2> /run/fetch.err |
          { while [ ! -e /run/finish ]; do dd bs=16k count=1 iflag=fullblock 2>/dev/null; echo >> /run/progress; sleep 0.05; done; cat; } | sha256sum > /run/fetch &
        for i in $(seq 100); do [ -s /run/progress ] && exit 0; sleep 0.1; done; cat /run/fetch.err; exit 1
        """);

    private static async Task FinishDownloadAsync(HyperVSetting lab)
    {
        var sum = await lab.MustAsync(
            "[ -s /run/fetch ] && exit 1; touch /run/finish; for i in $(seq 600); do [ -s /run/fetch ] && break; sleep 0.1; done; cat /run/fetch /run/fetch.err", 70);
        Assert.Equal($"{TestBytes.Sha256(4, Bulk)}  -", sum);
    }
}
