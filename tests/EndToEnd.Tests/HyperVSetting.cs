using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>A lab, a host with a VMBus, and a guest with the kernel's own drivers on it.</summary>
internal sealed class HyperVSetting : IAsyncDisposable
{
    private readonly NetnsLab _lab;

    private HyperVSetting(NetnsLab lab, NetVspBackend host, HyperVGuest guest) => (_lab, Host, Guest) = (lab, host, guest);

    public NetVspBackend Host { get; }

    public HyperVGuest Guest { get; }

    /// <summary>Starts the host and boots the guest.</summary>
    public static async Task<HyperVSetting> BootAsync(NetVspSetup setup, int cpus = 1)
    {
        RealGuestFactAttribute.DemandRights();
        var lab = new NetnsLab();
        var host = new NetVspBackend(lab, "host", setup);
        var setting = new HyperVSetting(lab, host, new HyperVGuest(lab.Host, Path.Combine(lab.Folder, "guest"), host.Plug, cpus));
        try
        {
            await host.StartAsync();
            await setting.Guest.BootAsync();
            return setting;
        }
        catch
        {
            await setting.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a script that must succeed; a failure shows all that is known.</summary>
    public async Task<string> MustAsync(string script, int seconds = 30, string what = "")
    {
        var result = await Guest.RunAsync(script, seconds);
        return result.Status == 0 ? result.Output : throw new GuestException(
            $"{what}: in the guest, status {result.Status}:\n  {script.ReplaceLineEndings("\n  ")}\nprinted:\n{result.Output}\n--- host\n{Host.Log}\n{Host.Inspect()}\n"
            + $"{Guest.Diagnosis()}\n{(await Guest.RunAsync("dmesg | tail -40")).Output}");
    }

    /// <summary>The first NIC takes a lease and moves bytes both ways.</summary>
    /// <param name="after">What was done before.</param>
    /// <param name="mtu">The guest's MTU; null: the one that it is told with the lease.</param>
    public async Task WorksAsync(string after = "boot", int? mtu = null)
    {
        await MustAsync("net-up eth0 > /run/lease || { cat /run/lease; exit 1; }", 40, after);
        if (mtu is not null) await MustAsync($"ip link set eth0 mtu {mtu} && [ $(cat /sys/class/net/eth0/mtu) = {mtu} ] && ping -c1 -W3 {NetnsLab.ServerAddress}", 40, after);
        var down = await MustAsync($"curl -sS -m 40 http://{NetnsLab.ServerAddress}:{LabServices.HttpPort}/random/5/5000000 | tee /run/bytes | sha256sum", 60, after);
        Assert.StartsWith(TestBytes.Sha256(5, 5_000_000), down, StringComparison.Ordinal);
        // The sink answers with the hash of what it got.
        Assert.Equal(TestBytes.Sha256(5, 5_000_000), await MustAsync($"nc -N {NetnsLab.ServerAddress} {LabServices.SinkPort} < /run/bytes", 60, after));
    }

    /// <summary>The guest's kernel has complained about nothing.</summary>
    public async Task KernelIsContentAsync() => Assert.DoesNotMatch("BUG|WARNING|Call Trace|Oops|hung task", await MustAsync("dmesg"));

    public async ValueTask DisposeAsync()
    {
        await Guest.DisposeAsync();
        await Host.DisposeAsync();
        _lab.Dispose();
    }
}
