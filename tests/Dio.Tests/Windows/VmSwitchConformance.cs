using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.Loops;
using NicHost.Testing.Conformance;

namespace NicHost.Dio.Tests.Windows;

/// <summary>The suite of every endpoint, over everything but Windows itself.</summary>
public sealed class VmSwitchConformance : EndpointConformance
{
    protected override IEndpoint Create(EventLoop loop)
    {
        // Nothing reads what was written: it need not be kept.
        var windows = new FakeVmSwitch { Records = false };
        return windows.Factory.Create(new EndpointContext
        {
            Nic = new NicIdentity("vm", "nic"),
            Mac = GuestMac,
            Mtu = 1500,
            Options = JsonDocument.Parse("""{"kind":"dio"}""").RootElement,
            BaseDirectory = "/",
            Loop = loop,
            Logging = NullLoggerFactory.Instance,
        });
    }
}
