using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using NicHost.Contracts.Endpoints;
using NicHost.Contracts.Nics;
using NicHost.Linux;
using NicHost.Loops;
using NicHost.Testing.Conformance;

namespace NicHost.Dio.Tests.Tap;

/// <summary>
/// The suite of every endpoint, on a real TAP in a real bridge, in a network namespace that the test's thread makes for itself. Without the right
/// to make one it runs on an endpoint that waits for its TAP.
/// </summary>
public sealed class TapConformance : EndpointConformance
{
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"nichost-dio-{Guid.NewGuid():n}.sock");
    private bool _inside;

    private string Options => Environment.IsPrivilegedProcess
        ? """{"kind":"dio","switch":{"name":"br0","create":true},"nic":{"name":"web0","create":true}}"""
        : $"{{\"kind\":\"dio\",\"nic\":{{\"socket\":\"{_socket}\"}}}}";

    protected override IEndpoint Create(EventLoop loop)
    {
        if (Environment.IsPrivilegedProcess && !_inside) ThisProcess.Unshare(ThisProcess.CloneNewNet).OrThrow("make a network namespace");
        _inside = true;
        return new DioFactory().Create(new EndpointContext
        {
            Nic = new NicIdentity("vm", "nic"),
            Mac = GuestMac,
            Mtu = 1500,
            Options = JsonDocument.Parse(Options).RootElement,
            BaseDirectory = "/",
            Loop = loop,
            Logging = NullLoggerFactory.Instance,
        });
    }
}
