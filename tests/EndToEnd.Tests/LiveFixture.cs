using System.Diagnostics.CodeAnalysis;
using NicHost.EndToEnd.Tests.Backends;
using NicHost.EndToEnd.Tests.Guests;
using NicHost.EndToEnd.Tests.Lab;

namespace NicHost.EndToEnd.Tests;

/// <summary>One guest for all tests of changes under it; each leaves the NIC as it found it.</summary>
[SuppressMessage("Design", "CA1001", Justification = "xunit calls IAsyncLifetime.DisposeAsync")]
public abstract class LiveFixture(GuestKind kind) : IAsyncLifetime
{
    private NetnsLab? _lab;
    private NicHostBackend? _host;
    private Guest? _guest;

    internal NetnsLab Lab => _lab!;

    internal NicHostBackend Host => _host!;

    internal Guest Guest => _guest!;

    public async Task InitializeAsync()
    {
        if (!RealGuestFactAttribute.Enabled)
            return;
        RealGuestFactAttribute.DemandRights();
        _lab = new NetnsLab();
        // The link is down while the VMM starts: it must start all the same.
        _host = new NicHostBackend(_lab, "host", mtu: 1500, wiring: new NicWiring { IsLinkUp = false });
        await _host.StartAsync();
        _guest = GuestFixture.MakeGuest(kind, _lab, Path.Combine(_lab.Folder, "guest"), _host.Plug);
        await _guest.BootAsync();
    }

    public async Task DisposeAsync()
    {
        if (_guest is not null)
            await _guest.DisposeAsync();
        if (_host is not null)
            await _host.DisposeAsync();
        _lab?.Dispose();
    }
}

public sealed class QemuLive() : LiveFixture(GuestKind.Qemu);

public sealed class UmlLive() : LiveFixture(GuestKind.Uml);
