using NicHost.Contracts.Devices;
using NicHost.Contracts.Loops;
using NicHost.Testing;
using NicHost.Testing.Conformance;

namespace NicDevice1.Tests;

/// <summary>What the contract asks of every device: the tests are in the base class.</summary>
public sealed class Conformance : DeviceConformance
{
    protected override int MaxQueues => 1;

    protected override IDevice CreateDevice(IEventLoop loop, string socket, int queues, int mtu) =>
        new StreamFactory().Create(TestNic.DeviceContext(loop, $$"""{ "kind": "nic-device-kind", "socket": "{{socket}}" }""", mtu));

    protected override IGuestDriver CreateDriver(string socket) => new StreamDriver(socket);
}
