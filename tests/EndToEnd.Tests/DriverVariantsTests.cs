using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>The shapes in which a real driver uses its rings: legacy header, one buffer per frame, no offloads.</summary>
[Trait("Category", "RealGuest")]
public sealed class DriverVariantsTests
{
    private const string NoOffloads = "csum=off,gso=off,host_tso4=off,host_tso6=off,host_ecn=off,host_ufo=off,"
        + "guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off";

    [RealGuestFact]
    public async Task Legacy_device_passes_whole_streams() => await PassesAsync("disable-legacy=off,disable-modern=on");

    [RealGuestFact]
    public async Task Legacy_device_with_the_short_header_passes_whole_streams() =>
        await PassesAsync("disable-legacy=off,disable-modern=on,mrg_rxbuf=off,event_idx=off,indirect_desc=off");

    [RealGuestFact]
    public async Task One_large_buffer_per_frame_passes_whole_streams() => await PassesAsync("disable-legacy=on,mrg_rxbuf=off");

    [RealGuestFact]
    public async Task Plain_frames_one_buffer_each_pass_whole_streams() => await PassesAsync($"disable-legacy=on,mrg_rxbuf=off,{NoOffloads}");

    private static async Task PassesAsync(string deviceOptions)
    {
        RealGuestFactAttribute.DemandRights();
        using var lab = new NetnsLab();
        await using var host = new VirtioBackend(lab, "host", mtu: 1500);
        await host.StartAsync();
        await using var guest = new QemuGuest(lab.Host, Path.Combine(lab.Folder, "guest"), host.Plug, deviceOptions: deviceOptions);
        await guest.BootAsync();
        await guest.MustAsync("net-up eth0");
        var down = await guest.MustAsync($"curl -sS -m 60 http://{NetnsLab.ServerAddress}:{LabServices.HttpPort}/random/5/5000000 | sha256sum", 90);
        Assert.StartsWith(TestBytes.Sha256(5, 5_000_000), down, StringComparison.Ordinal);
        // The sink answers with the hash of what it got.
        var up = await guest.MustAsync(
            $"head -c 5000000 /dev/urandom > /run/up; sha256sum < /run/up; nc -N {NetnsLab.ServerAddress} {LabServices.SinkPort} < /run/up", 90);
        var lines = up.Trim().Split('\n');
        Assert.Contains(lines[0].Split(' ')[0], lines[1], StringComparison.Ordinal);
    }
}
