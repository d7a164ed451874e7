using System.Text.RegularExpressions;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>What a guest must find, checked from inside a real one; the derived classes say which guest and which MTU.</summary>
[Trait("Category", "RealGuest")]
public abstract partial class GuestNetworkTests
{
    private const string Gateway = "10.0.2.2";
    private readonly GuestFixture _fixture;

    protected GuestNetworkTests(GuestFixture fixture) => _fixture = fixture;

    private Guest Guest => _fixture.Guest;

    private NetnsLab Lab => _fixture.Lab;

    /// <summary>Runs a script that must succeed; a failure shows the host's last messages and its counters too.</summary>
    private async Task<string> GuestMustAsync(string script, int seconds = 30)
    {
        var result = await Guest.RunAsync(script, seconds);
        return result.Status == 0 ? result.Output : throw Failure(result);
    }

    private GuestException Failure(GuestResult result) => new(
        $"in the guest, status {result.Status}:\n  {result.Script.ReplaceLineEndings("\n  ")}\nprinted:\n{result.Output}\n"
        + $"--- host\n{string.Join('\n', _fixture.Backend.Log.Split('\n').TakeLast(25))}\n{_fixture.Backend.Inspect()}\n"
        + $"--- services\n{string.Join('\n', Lab.Services.Troubles.TakeLast(10))}");

    /// <summary>The gateway as IPv6 neighbours know it: the router that the kernel learnt from an advertisement.</summary>
    private async Task<string> Gateway6Async()
    {
        var route = await GuestMustAsync("for i in $(seq 50); do ip -6 route show default | grep via && exit 0; sleep 0.1; done; ip -6 route; exit 1");
        return Regex.Match(route, @"via (\S+)").Groups[1].Value;
    }

    /// <summary>The guest's own global IPv6 address, once duplicate address detection is over.</summary>
    private async Task<string> Address6Async()
    {
        var text = await GuestMustAsync(
            "for i in $(seq 80); do ip -6 addr show dev eth0 scope global -tentative | grep inet6 && exit 0; sleep 0.1; done; ip -6 addr; exit 1");
        return Regex.Match(text, @"inet6 ([^/\s]+)/").Groups[1].Value;
    }
}
